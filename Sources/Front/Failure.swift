import FoundationEssentials
import HTTPTypes
package import HummingbirdCore
package import Mesh
import XMPP

/// What the front answers when a device could not: a page for people, a Proxy-Status (RFC 9209) for programs.
package struct Failure: Sendable {
  package let error: MeshError

  package init(_ error: MeshError) {
    self.error = error
  }

  /// - Parameter accept: the request's Accept field; JSON goes to who asks for it.
  package func response(accept: String?) -> Response {
    let status = HTTPResponse.Status(code: error.code.status)
    var fields: HTTPFields = [.proxyStatus: Self.proxyStatus(error)]
    if error.code == .limit { fields[.retryAfter] = "\(Self.retryAfterSeconds)" }
    if accept?.contains("application/json") == true {
      return .own(status, type: "application/json", json, fields: fields)
    }
    if accept?.contains("text/html") != true, accept != nil, accept != "*/*" {
      return .own(status, type: "text/plain; charset=utf-8", error.message + "\n", fields: fields)
    }
    return Page(status: status, title: title, body: html).response(fields: fields)
  }

  /// Seconds after which a device that was full is worth another try.
  private static let retryAfterSeconds = 5

  /// RFC 9209 §2: `details` is a quoted string (RFC 8941 §3.3.3), so printable ASCII only.
  package static func proxyStatus(_ error: MeshError) -> String {
    let details = error.message.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case " "..."~": String(scalar)
      case "“", "”": "'"
      default: "?"
      }
    }
    return "hearth; error=\(error.code.proxyStatus); details=\"\(details.joined())\""
  }

  private var title: String {
    switch error.code {
    case .notDiscovered: "\(error.device) is not on this network"
    case .away: "\(error.device) does not answer"
    case .refused: "\(error.device) refuses connections"
    case .timedOut: "\(error.device) did not answer in time"
    case .notHTTP: "\(error.device) has no web pages"
    case .forbidden: "\(error.device) does not let this computer in"
    case .limit: "\(error.device) is busy"
    case .protocolError: "\(error.device) gave no valid answer"
    case .connectionLost: "The connection to \(error.device) broke"
    }
  }

  private var html: String {
    let seen = error.lastSeen.map { "<p><small>Last seen \(Page.escaped($0.formatted(.iso8601))).</small></p>" } ?? ""
    let list = "http://\(HostGate.dashboardLabel).\(HostGate.zone)"
    return "<p>\(Page.escaped(error.message))</p>\(seen)<p><small>The list of devices: \(list)</small></p>"
  }

  private struct Report: Encodable {
    let error: String
    let device: String
    let message: String
    let seen: String?
  }

  private var json: String {
    let report = Report(
      error: error.code.proxyStatus, device: error.device.text, message: error.message,
      seen: error.lastSeen?.formatted(.iso8601))
    // A struct of strings always encodes.
    let data = (try? JSONEncoder().encode(report)) ?? Data()
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
