package import Codecs
package import FoundationEssentials
package import HTTPEdge
package import HTTPTypes
package import XMPP

/// Why the front itself answers where a device should: a page for people, text or JSON for programs, and for both a
/// `Proxy-Status` (RFC 9209).
///
/// More than eight properties: one for each thing that is said of it.
package struct Problem: Error, Sendable {
  package var status: HTTPResponse.Status
  /// An error type of RFC 9209 §2.3.
  package var error: String
  package var title: String
  /// What happened, and what to do next.
  package var message: String
  package var device: JID?
  package var lastSeen: Date?
  /// Since when it is so.
  var since: Date?
  /// Seconds.
  package var retryAfter: Int?
  package var nextSteps: NextSteps?
  /// By which way it was tried, where this node has several.
  var way: Way?
  /// Whether the device has other pages.
  var hasFirstPage = false
  /// Whether it may be over soon, so that the page looks again.
  var isPassing = false

  package init(
    _ status: HTTPResponse.Status, error: String, title: String, message: String, device: JID? = nil
  ) {
    self.status = status
    self.error = error
    self.title = title
    self.message = message
    self.device = device
  }

  enum Way: Hashable, Sendable {
    case link
    case server(String)

    /// As JSON has it: like `via` of a device.
    var word: String {
      switch self {
      case .link: "link"
      case .server(let domain): domain
      }
    }

    fileprivate var html: String {
      switch self {
      case .link: "Tried at home, on this network."
      case .server(let domain): "Tried through <bdi>\(HTML.escaped(domain))</bdi>."
      }
    }
  }

  /// - Parameters:
  ///   - proxy: who says it, in `Proxy-Status`.
  ///   - dashboard: where the list of devices is, nil where the client has none.
  package func response(to request: HTTPRequest, by proxy: String, dashboard: String? = nil) -> Response {
    var fields: HTTPFields = [.proxyStatus: proxyStatus(by: proxy).text]
    if let retryAfter { fields[.retryAfter] = "\(retryAfter)" }
    switch Representation.preferred(request.headerFields[values: .accept]) {
    case .html: return page(to: request, dashboard).response(fields: fields)
    case .json: return .own(status, type: "application/json", json(dashboard), fields: fields)
    case .text: return .own(status, type: "text/plain; charset=utf-8", text, fields: fields)
    }
  }

  package func proxyStatus(by proxy: String) -> ProxyStatus {
    let stop = message.last.map { ".!?\n".contains($0) } == true ? "" : "."
    let hint = nextSteps?.commands.first.map { "\(stop) Try: \($0)" } ?? ""
    return ProxyStatus(proxy, error: error, details: message + hint)
  }

  private func page(to request: HTTPRequest, _ dashboard: String?) -> Page {
    // What was sent is not sent again.
    let looksAgain = isPassing && request.method == .get
    var page = Page(status: status, title: title, body: html(dashboard, looksAgain))
    if looksAgain { page.script = .inline(RetryScript.text) }
    return page
  }

  private func html(_ dashboard: String?, _ looksAgain: Bool) -> String {
    var html = "<p>\(HTML.escaped(message))</p>"
    if let nextSteps { html += nextSteps.html(dashboard) }
    if let way { html += "\n<p class=\"note\">\(way.html)</p>" }
    if let lastSeen { html += "\n<p class=\"note\">Last seen \(Page.time(lastSeen)).</p>" }
    if let since { html += "\n<p class=\"note\">So since \(Page.time(since)).</p>" }
    if hasFirstPage { html += "\n<p><a class=\"button\" href=\"/\">Its first page</a></p>" }
    if looksAgain {
      html +=
        "\n<p><a class=\"button\" href=\"\">Try again</a></p>\n<p class=\"note\" role=\"status\" id=\"retry\"></p>"
    }
    if let dashboard { html += "\n<p class=\"note\"><a href=\"\(HTML.escaped(dashboard))\">All devices</a></p>" }
    return html
  }

  private var text: String {
    let lines = (nextSteps?.text ?? []) + (nextSteps?.commands ?? []).map { "    " + $0 }
    return ([message] + lines).map { $0 + "\n" }.joined()
  }

  /// A property for each key of the JSON.
  private struct Report: Encodable {
    let error: String
    let message: String
    let device: String?
    let seen: String?
    /// Of a device that lets nobody in, or shows another key.
    let standing: String?
    let commands: [String]?
    let page: String?
    let via: String?
    let expectedNode: String?
    let shownNode: String?
  }

  private func json(_ dashboard: String?) -> String {
    let report = Report(
      error: error, message: message, device: device?.text, seen: lastSeen?.formatted(.iso8601),
      standing: nextSteps?.standing, commands: nextSteps?.commands, page: nextSteps?.page.flatMap { $0.url(dashboard) },
      via: way?.word,
      expectedNode: nextSteps?.expected, shownNode: nextSteps?.shown)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A struct of strings always encodes.
    return String(decoding: (try? encoder.encode(report)) ?? Data(), as: UTF8.self) + "\n"
  }
}

extension HTTPResponse.Status {
  /// RFC 5842 §7.2.
  static let loopDetected = Self(code: 508)
}
