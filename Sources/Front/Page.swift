import FoundationEssentials
package import HTTPTypes
package import HummingbirdCore
import NIOCore

/// A small page of the front's own: no script, nothing from elsewhere, readable light and dark, and on a phone.
package struct Page: Sendable {
  package var status: HTTPResponse.Status
  package var title: String
  /// Already escaped.
  package var body: String

  package static func escaped(_ text: some StringProtocol) -> String {
    text.unicodeScalars.reduce(into: "") { escaped, scalar in
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
  }

  /// For people, in UTC, since a page without script does not know the reader's clock.
  static func time(_ date: Date) -> String {
    let text = date.formatted(.iso8601)
    return "<time datetime=\"\(text)\">\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC</time>"
  }

  /// Nothing may be loaded from anywhere, and nobody may frame it.
  private static let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

  private static let style = """
    :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--line:color-mix(in srgb,currentColor 18%,transparent)}
    body{max-width:44rem;margin:0 auto;padding:2rem 1rem;overflow-wrap:anywhere}
    h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}
    ul{list-style:none;margin:0;padding:0;border-top:1px solid var(--line)}
    li{display:grid;grid-template-columns:1fr auto;gap:0 1rem;padding:.75rem 0;border-bottom:1px solid var(--line)}
    li>*{grid-column:1}li>.state{grid-column:2;grid-row:1}
    .name{font-weight:600}.note,.state{opacity:.7;font-size:.875rem}.state{align-self:center}
    .away>*,.gone>*{opacity:.6}
    .button{display:inline-block;padding:.5rem 1rem;border:1px solid var(--line);border-radius:.5rem}
    """

  package func response(fields: HTTPFields = [:]) -> Response {
    let html = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>\(Self.escaped(title))</title><style>\(Self.style)</style></head>
      <body><h1>\(Self.escaped(title))</h1>
      \(body)
      </body></html>

      """
    let protection: HTTPFields = [.contentSecurityPolicy: Self.policy, .referrerPolicy: "no-referrer"]
    return .own(status, type: "text/html; charset=utf-8", html, fields: fields + protection)
  }
}

extension Response {
  /// An answer of the front itself, never to be stored.
  static func own(_ status: HTTPResponse.Status, type: String, _ text: String, fields: HTTPFields = [:]) -> Response {
    let bytes = ByteBuffer(string: text)
    let standard: HTTPFields = [
      .contentType: type, .contentLength: "\(bytes.readableBytes)", .cacheControl: "no-store",
      .xContentTypeOptions: "nosniff", .xFrameOptions: "DENY",
    ]
    return Response(status: status, headers: fields + standard, body: ResponseBody(byteBuffer: bytes))
  }
}

extension HTTPFields {
  static func + (a: HTTPFields, b: HTTPFields) -> HTTPFields {
    var fields = a
    fields.append(contentsOf: b)
    return fields
  }
}
