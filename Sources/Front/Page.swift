package import HTTPTypes
package import HummingbirdCore
import NIOCore

/// A small page of the front's own: no script, no address of another origin, readable light and dark.
package struct Page: Sendable {
  package var status: HTTPResponse.Status
  package var title: String
  /// Already escaped.
  package var body: String

  package static func escaped(_ text: some StringProtocol) -> String {
    text.reduce(into: "") { escaped, character in
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.append(character)
      }
    }
  }

  /// Nothing may be loaded from anywhere, and nobody may frame it.
  private static let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

  private static let style = """
    :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
    body{max-width:60rem;margin:2rem auto;padding:0 1rem}
    h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}
    th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}
    .away{opacity:.6}small{opacity:.7}
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
    return .own(status, type: "text/html; charset=utf-8", html, fields: fields + [.contentSecurityPolicy: Self.policy])
  }
}

extension Response {
  /// An answer of the front itself, never to be stored.
  static func own(_ status: HTTPResponse.Status, type: String, _ text: String, fields: HTTPFields = [:]) -> Response {
    let bytes = ByteBuffer(string: text)
    let standard: HTTPFields = [
      .contentType: type, .contentLength: "\(bytes.readableBytes)", .cacheControl: "no-store",
      .xContentTypeOptions: "nosniff",
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

extension HTTPField.Name {
  /// RFC 9209.
  package static let proxyStatus = Self("Proxy-Status")!
}
