import Control
import FoundationEssentials
import Logging

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How a record is written.
enum LogFormat: String, CaseIterable {
  /// `time level message key=value …`
  case text
  /// `{"time":"…","level":"…","message":"…","fields":{"key":"value"}}`
  case json
}

/// Writes a record as one line to standard error.
///
/// For the journal (systemd.exec(5), `JOURNAL_STREAM`) the level comes first, as a `<6>` that the journal takes off again; text
/// has no time and no level else then.
struct LineLogHandler: LogHandler {
  var logLevel: Logger.Level = .info
  var metadata: Logger.Metadata = [:]
  private let format: LogFormat
  let forJournal: Bool
  let write: @Sendable (String) -> Void

  init(
    _ format: LogFormat = .text, forJournal: Bool = ProcessInfo.processInfo.environment["JOURNAL_STREAM"] != nil,
    write: @escaping @Sendable (String) -> Void = { Terminal.printError($0) }
  ) {
    self.format = format
    self.forJournal = forJournal
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }
    let line =
      switch format {
      case .text: text(event, fields)
      case .json: json(event, fields)
      }
    write((forJournal ? "<\(event.level.priority)>" : "") + line + "\n")
  }

  private func text(_ event: LogEvent, _ fields: Logger.Metadata) -> String {
    var line = forJournal ? "" : "\(Self.time()) \(event.level) "
    line += Self.escape("\(event.message)", quoting: false)
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      line += " \(key)=\(Self.escape("\(value)", quoting: true))"
    }
    return line
  }

  private struct Record: Encodable {
    let time: String
    let level: String
    let message: String
    let fields: [String: String]
  }

  private func json(_ event: LogEvent, _ fields: Logger.Metadata) -> String {
    let record = Record(
      time: Self.time(), level: "\(event.level)", message: "\(event.message)", fields: fields.mapValues { "\($0)" })
    // Strings alone always are JSON.
    return (try? ControlJSON.encode(record)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// One line whatever comes from the link: control characters are escaped, values with spaces quoted.
  private static func escape(_ text: String, quoting: Bool) -> String {
    let needsQuotes = quoting && (text.isEmpty || text.contains { " \"=".contains($0) || $0.isNewline })
    var result = needsQuotes ? "\"" : ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\"" where needsQuotes: result += "\\\""
      case _ where scalar.properties.generalCategory == .control: result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + (needsQuotes ? "\"" : "")
  }

  /// UTC with milliseconds.
  private static func time() -> String {
    Date().formatted(.iso8601.time(includingFractionalSeconds: true).year().month().day().timeZone(separator: .omitted))
  }
}

extension Logger.Level {
  /// syslog(3).
  fileprivate var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
