/// The prefixes of an element as they were written, and what its tag declares.
///
/// Two elements that differ in this alone are the same (Namespaces in XML §5.3), save for documents that mention prefixes in
/// values, as `xsi:type='xs:date'` does.
struct Spelling: Sendable, Hashable {
  struct Declaration: Sendable {
    /// Empty for the default namespace.
    let prefix: String
    let namespace: String
  }

  private final class Prefixes: Sendable {
    let own: String
    let attributes: [String]
    let declarations: [Declaration]

    init(_ own: String, _ attributes: [String], _ declarations: [Declaration]) {
      (self.own, self.attributes, self.declarations) = (own, attributes, declarations)
    }
  }

  /// nil where there is no prefix in the whole tag, as nearly always.
  private let prefixes: Prefixes?

  init() { prefixes = nil }

  init(prefix: String, attributePrefixes: [String], declarations: [Declaration]) {
    prefixes = Prefixes(prefix, attributePrefixes, declarations)
  }

  /// Empty where it has none.
  var prefix: String { prefixes?.own ?? "" }
  var attributePrefixes: [String] { prefixes?.attributes ?? [] }
  /// None where all that the tag declares is the default namespace, which an element without a prefix shows anyway.
  var declarations: [Declaration] { prefixes?.declarations ?? [] }

  static func == (_: Spelling, _: Spelling) -> Bool { true }
  func hash(into _: inout Hasher) {}

  /// With these declarations too, as far as they do not contradict its own.
  func adding(_ outer: [Declaration]) -> Spelling {
    let new = outer.filter { one in !declarations.contains { $0.prefix == one.prefix } }
    guard !new.isEmpty else { return self }
    return Spelling(prefix: prefix, attributePrefixes: attributePrefixes, declarations: declarations + new)
  }
}

extension Element {
  /// That of elements without a prefix inside of it, where it is the outermost one.
  var defaultNamespace: String {
    if let declaration = spelling.declarations.first(where: { $0.prefix.isEmpty }) { return declaration.namespace }
    return spelling.prefix.isEmpty ? namespace : ""
  }
}
