package import XML

/// What an entity is and can do (XEP-0030 §3), as entity capabilities see it (XEP-0115).
package struct DiscoInfo: Sendable, Hashable {
  package struct Identity: Sendable, Hashable {
    package var category: String
    package var type: String
    package var name: String?
    /// `xml:lang`.
    package var language: String?

    package init(category: String, type: String, name: String? = nil, language: String? = nil) {
      self.category = category
      self.type = type
      self.name = name
      self.language = language
    }
  }

  /// Further data about the entity (XEP-0128).
  package struct Form: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
      package var name: String
      package var values: [String]
    }

    /// Its FORM_TYPE.
    package var type: String
    /// All others.
    package var fields: [Field]
  }

  package var identities: [Identity]
  package var features: [String]
  package var forms: [Form]
  /// Which node was asked about; in stream features and caps `node#ver`.
  package var node: String?

  package init(identities: [Identity], features: [String], forms: [Form] = [], node: String? = nil) {
    self.identities = identities
    self.features = features
    self.forms = forms
    self.node = node
  }

  /// The answer to a question about `node`.
  package func query(node: String? = nil) -> Element {
    let identities = identities.map { identity in
      var element = Element(
        "identity", namespace: Namespace.discoInfo,
        ["category": identity.category, "type": identity.type, "name": identity.name])
      if let language = identity.language {
        element.attributes.append(.init("lang", namespace: Namespace.xml, language))
      }
      return element
    }
    let features = features.map { Element("feature", namespace: Namespace.discoInfo, ["var": $0]) }
    return Element(
      "query", namespace: Namespace.discoInfo, ["node": node], identities + features + forms.map(\.element))
  }
}

/// Reading what a peer sent.
extension DiscoInfo {
  /// Fails where the element is no disco#info query, or is ill-formed by XEP-0115 §5.4: identities, features or forms that
  /// come twice, a form with two types. Also where a part holds `<`, with which other contents could be given the same
  /// verification string. A form without a hidden FORM_TYPE is ignored.
  package init?(_ query: Element) {
    guard query.is("query", Namespace.discoInfo) else { return nil }
    let identities = query.elements.filter { $0.is("identity", Namespace.discoInfo) }.map(Identity.init)
    let features = query.elements.filter { $0.is("feature", Namespace.discoInfo) }.map { $0["var"] ?? "" }
    let candidates = query.elements.filter { $0.is("x", Namespace.dataForms) }.map(Form.read)
    let forms: [Form] = candidates.compactMap { if case .form(let form) = $0 { form } else { nil } }
    guard !candidates.contains(.illFormed), Set(identities).count == identities.count,
      Set(features).count == features.count, Set(forms.map(\.type)).count == forms.count
    else { return nil }
    self.init(identities: identities, features: features, forms: forms, node: query["node"])
    guard parts.allSatisfy({ !$0.utf8.contains(UInt8(ascii: "<")) }) else { return nil }
  }
}

extension DiscoInfo.Identity {
  fileprivate init(_ element: Element) {
    self.init(
      category: element["category"] ?? "", type: element["type"] ?? "", name: element["name"],
      language: element["lang", namespace: Namespace.xml])
  }
}

extension DiscoInfo.Form {
  fileprivate enum Reading: Equatable { case form(DiscoInfo.Form), ignored, illFormed }

  fileprivate static func read(_ element: Element) -> Reading {
    func values(_ field: Element) -> [String] { field.elements.filter { $0.name == "value" }.map(\.text) }
    let fields = element.elements.filter { $0.is("field", Namespace.dataForms) }
    let types = fields.filter { $0["var"] == "FORM_TYPE" }
    guard let type = types.first, type["type"] == "hidden", let name = values(type).first else { return .ignored }
    guard Set(types.flatMap(values)).count == 1 else { return .illFormed }
    let others = fields.filter { $0["var"] != "FORM_TYPE" }.map { Field(name: $0["var"] ?? "", values: values($0)) }
    return .form(Self(type: name, fields: others))
  }

  fileprivate var element: Element {
    func field(_ name: String, _ type: String?, _ values: [String]) -> Element {
      Element(
        "field", namespace: Namespace.dataForms, ["var": name, "type": type],
        values.map { Element("value", namespace: Namespace.dataForms, text: $0) })
    }
    let fields = fields.map { field($0.name, nil, $0.values) }
    return Element(
      "x", namespace: Namespace.dataForms, ["type": "result"], [field("FORM_TYPE", "hidden", [type])] + fields)
  }
}
