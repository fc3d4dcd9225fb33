import Codecs
import FoundationEssentials
import Front
package import HTTPEdge
package import HTTPTypes
import NIOCore

/// A small page of the front's own: no script, nothing from elsewhere, readable light and dark, and on a phone.
package struct Page: Sendable {
  package var status: HTTPResponse.Status
  package var title: String
  /// Already escaped.
  package var body: String
  /// Seconds after which a browser is to look again.
  package var refresh: Int?
  /// Whether its forms work. They do at the dashboard, and not at a device's origin.
  package var hasForms = false

  /// For people, in UTC, since a page without script does not know the reader's clock.
  static func time(_ date: Date) -> String {
    "<time datetime=\"\(date.formatted(.iso8601))\">\(plainTime(date))</time>"
  }

  /// `2026-11-22 20:38 UTC`
  static func plainTime(_ date: Date) -> String {
    let text = date.formatted(.iso8601)
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
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
    .button,button,input{padding:.5rem 1rem;border:1px solid var(--line);border-radius:.5rem;font:inherit}
    .button{display:inline-block}button{cursor:pointer}input{max-width:12rem;padding:.5rem;margin:0 .25rem}
    form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.5rem 0}
    h2{font-size:1.125rem;margin:1.5rem 0 .5rem}.digits{font-size:2rem;font-weight:600;letter-spacing:.1em}
    @property --left{syntax:"<integer>";inherits:false;initial-value:0}
    @keyframes left{from{--left:var(--from)}to{--left:0}}
    .left{font-size:0;animation:left linear forwards;counter-reset:left var(--left,var(--from))}
    .left::after{content:counter(left);font-size:1rem}
    .CHANGED .trust,.down{color:light-dark(#b00020,#ff8a80);font-weight:600}
    """

  package func response(fields: HTTPFields = [:]) -> Response {
    let html = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>\(HTML.escaped(title))</title><style>\(Self.style)</style></head>
      <body><h1>\(HTML.escaped(title))</h1>
      \(body)
      </body></html>

      """
    // `same-origin` and not less: a form's `Origin` would be `null`.
    var protection: HTTPFields = [
      .contentSecurityPolicy: "\(Self.policy); form-action \(hasForms ? "'self'" : "'none'")",
      .referrerPolicy: "same-origin",
    ]
    if let refresh { protection[.refresh] = "\(refresh)" }
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
    return Response(status: status, headers: fields + standard, body: Body(bytes))
  }
}

extension HTTPFields {
  static func + (a: HTTPFields, b: HTTPFields) -> HTTPFields {
    var fields = a
    fields.append(contentsOf: b)
    return fields
  }
}
