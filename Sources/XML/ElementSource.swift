import Codecs
import NIOCore

/// Where elements keep what they consist of; each by its number there.
protocol ElementSource: AnyObject, Sendable {
  func name(of element: Int) -> String
  /// Empty where it is in none.
  func namespace(of element: Int) -> String
  func attributes(of element: Int) -> [Element.Attribute]
  /// That of the attribute of this name, which is in no namespace.
  func value(_ name: String, of element: Int) -> String?
  func content(of element: Int) -> Element.Content
  var spelling: Spelling { get }
  func text(of element: Int) -> String
  func base64(of element: Int) -> ByteBuffer?
  func forEach(
    inside element: Int, _ name: String, _ namespace: String, keyed key: String,
    _ body: (_ key: UnsafeRawBufferPointer?, _ text: UnsafeRawBufferPointer, Element?) -> Bool)

  /// The places of what is directly inside an element, from the first to behind the last.
  func children(of element: Int) -> Range<Int>
  /// The place behind this one.
  func behind(_ place: Int) -> Int
  /// The first of the places from `place` to before `end` at which an element is; `end` where there is none.
  func element(from place: Int, to end: Int) -> Int
  func element(at place: Int) -> Element
}

/// What an element was made of.
struct ElementParts: Sendable {
  var name: String
  var namespace: String
  var attributes: [Element.Attribute]
  var content = Element.Content.empty
  var spelling = Spelling()
}

/// One element, which is number 0, with its children.
final class MadeElement: ElementSource {
  private let parts: ElementParts

  init(_ parts: ElementParts) { self.parts = parts }

  func name(of _: Int) -> String { parts.name }
  func namespace(of _: Int) -> String { parts.namespace }
  func attributes(of _: Int) -> [Element.Attribute] { parts.attributes }
  func content(of _: Int) -> Element.Content { parts.content }
  var spelling: Spelling { parts.spelling }

  func value(_ name: String, of _: Int) -> String? {
    parts.attributes.first { $0.name == name && $0.namespace.isEmpty }?.value
  }

  func text(of _: Int) -> String {
    switch parts.content {
    case .empty: ""
    case .text(let text): text
    case .nodes(let nodes): nodes.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
    }
  }

  func base64(of element: Int) -> ByteBuffer? { Base64.decode(text(of: element)) }

  func forEach(
    inside _: Int, _ name: String, _ namespace: String, keyed key: String,
    _ body: (_ key: UnsafeRawBufferPointer?, _ text: UnsafeRawBufferPointer, Element?) -> Bool
  ) {
    for case .element(let child) in nodes where child.is(name, namespace) {
      var (key, text) = (child[key], child.text)
      let isWanted = text.withUTF8 { text in
        let text = UnsafeRawBufferPointer(text)
        return key?.withUTF8 { body(UnsafeRawBufferPointer($0), text, child) } ?? body(nil, text, child)
      }
      if !isWanted { return }
    }
  }

  /// None where the content is a text alone.
  private var nodes: [Element.Node] {
    if case .nodes(let nodes) = parts.content { nodes } else { [] }
  }

  func children(of _: Int) -> Range<Int> { nodes.indices }
  func behind(_ place: Int) -> Int { place + 1 }

  func element(from place: Int, to end: Int) -> Int {
    nodes[place..<end].firstIndex { if case .element = $0 { true } else { false } } ?? end
  }

  func element(at place: Int) -> Element {
    guard case .element(let element) = nodes[place] else { preconditionFailure("an index of another element's") }
    return element
  }
}
