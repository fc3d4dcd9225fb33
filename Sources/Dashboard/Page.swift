import Codecs
import FoundationEssentials
import Front
package import HTTPEdge
package import HTTPTypes
import NIOCore

/// A page of the front's own: nothing from elsewhere, readable light and dark, on a phone, and without a script.
package struct Page: Sendable {
  /// The one program that a page may run.
  enum Script: Sendable {
    case none
    /// A file of the dashboard's own origin.
    case dashboard
    /// At a device's origin, where the front has no files: part of the page, let in by a number that nobody else knows.
    case inline(String)
  }

  package var status: HTTPResponse.Status
  package var title: String
  /// Already escaped.
  package var body: String
  /// Seconds after which a browser without a script is to look again.
  var refreshWithoutScript: Int?
  /// Whether its forms work. They do at the dashboard, and not at a device's origin.
  package var hasForms = false
  var script = Script.none
  /// Whether it has several columns where there is room.
  var isWide = false

  package init(status: HTTPResponse.Status, title: String, body: String) {
    self.status = status
    self.title = title
    self.body = body
  }

  /// For people, who sit at this machine.
  static func time(_ date: Date) -> String {
    "<time datetime=\"\(date.formatted(.iso8601))\">\(LocalTime.minute(date))</time>"
  }

  /// Nothing may be loaded from anywhere, and nobody may frame it.
  private static let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

  package func response(fields: HTTPFields = [:]) -> Response {
    let (head, tail, rule) = scripts
    let again =
      refreshWithoutScript.map { "<noscript><meta http-equiv=\"refresh\" content=\"\($0)\"></noscript>" } ?? ""
    let html = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
      <title>\(HTML.escaped(title))</title><style>\(PageStyle.text)</style>\(again)\(head)</head>
      <body><main\(isWide ? " class=\"wide\"" : "")><h1>\(HTML.escaped(title))</h1>
      \(body)
      </main>\(tail)</body></html>

      """
    // `same-origin` and not less: a form's `Origin` would be `null`.
    let protection: HTTPFields = [
      .contentSecurityPolicy: "\(Self.policy)\(rule); form-action \(hasForms ? "'self'" : "'none'")",
      .referrerPolicy: "same-origin",
    ]
    return .own(status, type: "text/html; charset=utf-8", html, fields: fields + protection)
  }

  /// In the head, at the end of the body, and in the policy.
  private var scripts: (head: String, tail: String, rule: String) {
    switch script {
    case .none: return ("", "", "")
    case .dashboard:
      let path = DashboardRoute.script.path
      return ("<script src=\"\(path)\" defer></script>", "", "; script-src 'self'; connect-src 'self'; img-src 'self'")
    case .inline(let text):
      let nonce = "\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))"
      return ("", "<script nonce=\"\(nonce)\">\(text)</script>", "; script-src 'nonce-\(nonce)'; connect-src 'self'")
    }
  }
}

extension Response {
  /// An answer of the front itself, never to be stored.
  static func own(_ status: HTTPResponse.Status, type: String, _ text: String, fields: HTTPFields = [:]) -> Response {
    let bytes = ByteBuffer(string: text)
    return Response(
      status: status, headers: fields + ownFields(type: type) + [.contentLength: "\(bytes.readableBytes)"],
      body: Body(bytes))
  }

  static func ownFields(type: String) -> HTTPFields {
    [.contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff", .xFrameOptions: "DENY"]
  }
}

extension HTTPFields {
  static func + (a: HTTPFields, b: HTTPFields) -> HTTPFields {
    var fields = a
    fields.append(contentsOf: b)
    return fields
  }
}
