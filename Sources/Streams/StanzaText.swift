import Codecs
import NIOCore
import XML
import XMPP

/// A stanza as logs and traces may show it: what is there to be understood stays, what people said and what opens doors does
/// not.
///
/// Text is left out, and its length told, unless it stands where protocols speak: in fields of HTTP that are no credentials, in
/// errors, in what software says of itself. So are the values of the extensions by which friends are made, and what follows
/// a `?` in a URI.
enum StanzaText {
  /// Elements of these namespaces hold no one's words.
  private static let telling: Set = [
    Namespace.stanzas, Namespace.streamErrors, Namespace.version, Namespace.dataForms, Namespace.streamLimits,
    Namespace.ping, Namespace.caps,
  ]
  /// Extensions whose values are tokens, numbers that are said once, and signatures.
  private static let secretNamespaces = ["urn:hearth:invite:", "urn:hearth:pairing:", "urn:hearth:rotation:"]

  /// At most `Limits.tracedText` bytes, and a mark where it was longer.
  static func text(of element: Element) -> String {
    var buffer = ByteBuffer()
    buffer.write(shown(element))
    return ShownText.cut(String(buffer: buffer), to: Limits.tracedText)
  }

  private static func shown(_ element: Element) -> Element {
    let isSecret = secretNamespaces.contains { element.namespace.hasPrefix($0) }
    var shown = element
    for index in shown.attributes.indices {
      let value = shown.attributes[index].value
      shown.attributes[index].value =
        isSecret ? ShownText.length(of: value) : ShownText.withoutQuery(ShownText.cut(value))
    }
    shown.children = element.children.map { child in
      switch child {
      case .element(let inner): .element(self.shown(inner))
      case .text(let text): .text(isSecret ? ShownText.length(of: text) : self.text(text, in: element))
      }
    }
    return shown
  }

  private static func text(_ text: String, in element: Element) -> String {
    guard element.is("header", Namespace.shim) else {
      return telling.contains(element.namespace) ? ShownText.cut(text) : ShownText.length(of: text)
    }
    return ShownText.field(element["name"] ?? "", text)
  }
}
