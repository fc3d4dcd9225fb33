/// What an XML stream consists of (RFC 6120 §4.1).
package enum XMLEvent: Sendable, Hashable {
  /// The root's start tag, with its attributes and no children.
  case opened(Element)
  /// One whole child of the root.
  case element(Element)
  /// The root's end tag. What follows it on the wire is ignored.
  case closed
}
