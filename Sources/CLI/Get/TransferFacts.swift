import Codecs
import FoundationEssentials
import HTTPTypes
import HTTPX

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a transfer has come to, for `-w` and `-v`.
struct TransferFacts: Sendable {
  var request: OutgoingRequest
  var response: HTTPResponse?
  /// Where `Location` leads, followed or not.
  var redirect: HTTPXURI?
  var redirects = 0
  var file: String?
  /// Bytes of the body that were written.
  var downloaded = 0
  /// Seconds since the beginning.
  var firstByte = 0.0
  var total = 0.0

  init(_ request: OutgoingRequest) {
    self.request = request
  }

  /// curl's format: `%{name}`, `%header{name}`, `%%`, and `\n`, `\r`, `\t`. What is unknown stays as it is.
  func text(_ format: String, status: CommandStatus, error: String) -> String {
    var text = ""
    var rest = format[...]
    while let character = rest.popFirst() {
      if character == "\\", let next = rest.first, let control = ["n": "\n", "r": "\r", "t": "\t"][next] {
        rest.removeFirst()
        text += control
      } else if character == "%", rest.first == "%" {
        text.append(rest.removeFirst())
      } else if character == "%", let (value, behind) = variable(rest, status, error) {
        text += value
        rest = behind
      } else {
        text.append(character)
      }
    }
    return text
  }

  private func variable(_ rest: Substring, _ status: CommandStatus, _ error: String) -> (String, Substring)? {
    guard let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") else { return nil }
    let name = String(rest[rest.index(after: open)..<close])
    let behind = rest[rest.index(after: close)...]
    switch rest[..<open] {
    case "": return value(of: name, status, error).map { ($0, behind) }
    case "header": return (HTTPField.Name(name).flatMap { response?.headerFields[$0] } ?? "", behind)
    default: return nil
    }
  }

  private func value(of name: String, _ status: CommandStatus, _ error: String) -> String? {
    switch name {
    case "http_code", "response_code": Self.padded("\(response?.status.code ?? 0)", to: 3)
    case "size_download": "\(downloaded)"
    case "size_upload": "\(request.body?.length ?? 0)"
    case "speed_download": "\(total > 0 ? Int(Double(downloaded) / total) : 0)"
    case "time_total": Self.seconds(total)
    case "time_starttransfer": Self.seconds(firstByte)
    case "content_type": response?.headerFields[.contentType] ?? ""
    case "url", "url_effective": "\(request.uri)"
    case "redirect_url": redirect.map { "\($0)" } ?? ""
    case "num_redirects": "\(redirects)"
    case "num_headers": "\(response?.headerFields.count ?? 0)"
    case "method": request.method
    case "filename_effective": file ?? ""
    case "exitcode": "\(status.rawValue)"
    case "errormsg": error
    default: nil
    }
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: "0", count: max(0, width - text.count)) + text
  }

  /// With six decimals.
  private static func seconds(_ seconds: Double) -> String {
    let micros = Int((seconds * 1e6).rounded())
    return "\(micros / 1_000_000).\(padded("\(micros % 1_000_000)", to: 6))"
  }
}
