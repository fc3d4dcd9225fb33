import Codecs
import HTTPTypes
import Logging
import NIOCore

/// Shows the heads of a server's messages in its log, a line each, where somebody wants to see all that passes.
struct HeadLog: Sendable {
  private let logger: Logger

  /// nil unless the logger takes level `trace`.
  init?(_ logger: Logger) {
    guard logger.logLevel <= .trace else { return nil }
    self.logger = logger
  }

  func received(_ head: HTTPRequest, on channel: any Channel) {
    let target = ShownText.withoutQuery(ShownText.cut(head.path ?? "*"))
    write("HTTP request", "\(head.method.rawValue) \(target)", head.headerFields, host: head.authority, channel)
  }

  func sent(_ head: HTTPResponse, on channel: any Channel) {
    write("HTTP response", "\(head.status.code)", head.headerFields, host: nil, channel)
  }

  /// - Parameter host: of a request, which is kept apart from its fields.
  private func write(_ what: String, _ line: String, _ fields: HTTPFields, host: String?, _ channel: any Channel) {
    let host = host.map { ["host: \(ShownText.cut($0))"] } ?? []
    let text = host + fields.map { "\($0.name.canonicalName): \(ShownText.field($0.name.canonicalName, $0.value))" }
    let client = channel.remoteAddress?.port.map(String.init) ?? "unix"
    logger.trace(
      "\(what)", metadata: ["client": "\(client)", "head": "\(line)", "fields": "\(text.joined(separator: "; "))"])
  }
}
