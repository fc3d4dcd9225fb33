package import XML
package import XMPP

/// A file that is published or offered (XEP-0096 §3).
package struct SIFile: Sendable, Hashable {
  package var name: String
  /// Bytes; nil where it is not known, which is written as 0: the attribute is required.
  package var size: Int?
  package var mimeType: String?

  package init(name: String, size: Int? = nil, mimeType: String? = nil) {
    self.name = name
    self.size = size
    self.mimeType = mimeType
  }

  /// - Throws: `StanzaError` where its size is no number of bytes.
  fileprivate init(_ parent: Element) throws(StanzaError) {
    let file = parent.first("file", namespace: Namespace.fileTransfer)
    let size = file?["size"].map { UInt64($0).flatMap { Int(exactly: $0) } } ?? 0
    guard let size else { throw refusal(.badRequest, "size must be a number of bytes") }
    self.init(name: file?["name"] ?? "", size: size == 0 ? nil : size, mimeType: parent["mime-type"])
  }

  fileprivate var element: Element {
    Element("file", namespace: Namespace.fileTransfer, ["name": name, "size": "\(size ?? 0)"])
  }
}

/// A body that whoever wants it asks for (XEP-0137 §3.1).
package struct Publication: Sendable, Hashable {
  package var id: String
  /// Whose it is.
  package var from: String?
  package var file: SIFile

  package init(id: String, from: String? = nil, file: SIFile) {
    self.id = id
    self.from = from
    self.file = file
  }

  /// Reads `<sipub/>`. Throws where it cannot be read, or is of something else than a file.
  package init(_ element: Element) throws(StanzaError) {
    guard element["profile"] ?? Namespace.fileTransfer == Namespace.fileTransfer
    else { throw StanzaError(.featureNotImplemented, "Only files are known of what may be published.") }
    id = try SIPub.identifier("id", of: element)
    from = element["from"]
    file = try SIFile(element)
  }

  package var element: Element {
    Element(
      "sipub", namespace: Namespace.sipub,
      ["from": from, "id": id, "mime-type": file.mimeType, "profile": Namespace.fileTransfer], [file.element])
  }
}

/// The offer of a stream for a file (XEP-0095 §3.2).
package struct SIOffer: Sendable, Hashable {
  /// Also the name that the bytestream will have.
  package var id: String
  package var file: SIFile
  /// Namespaces of the ways that the file may go; nil where none are named, and there is but one.
  package var methods: [String]?

  package init(id: String, file: SIFile, methods: [String]? = [Namespace.ibb]) {
    self.id = id
    self.file = file
    self.methods = methods
  }

  /// Reads `<si/>` of an IQ of type `set`.
  package init(_ element: Element) throws(StanzaError) {
    id = try SIPub.identifier("id", of: element)
    guard element["profile"] == Namespace.fileTransfer
    else { throw refusal(.badRequest, "only the profile \(Namespace.fileTransfer) is understood") }
    file = try SIFile(element)
    methods = SIPub.field(of: element)?.elements.filter { $0.is("option", Namespace.dataForms) }.map {
      $0.first("value")?.text ?? ""
    }
  }

  package var element: Element {
    Element(
      "si", namespace: Namespace.si,
      ["id": id, "mime-type": file.mimeType ?? "application/octet-stream", "profile": Namespace.fileTransfer],
      [file.element]
        + (methods.map { methods in
          let options = methods.map {
            Element(
              "option", namespace: Namespace.dataForms, [:],
              [Element("value", namespace: Namespace.dataForms, text: $0)])
          }
          return [SIPub.feature("form", fieldType: "list-single", options)]
        } ?? []))
  }
}

/// The other elements of XEP-0137 and XEP-0095.
package enum SIPub {
  /// Asks for what is published under this id (XEP-0137 §3.3).
  package static func start(_ id: String) -> Element {
    Element("start", namespace: Namespace.sipub, ["id": id])
  }

  package static func id(ofStart start: Element) throws(StanzaError) -> String { try identifier("id", of: start) }

  /// Says by which name it will be offered.
  package static func starting(_ sid: String) -> Element {
    Element("starting", namespace: Namespace.sipub, ["sid": sid])
  }

  /// nil for any other element.
  package static func sid(ofStarting starting: Element?) -> String? {
    guard let starting, starting.is("starting", Namespace.sipub) else { return nil }
    return try? identifier("sid", of: starting)
  }

  /// Accepts an offer, by this way (XEP-0095 §3.2).
  package static func accepting(_ method: String) -> Element {
    let value = Element("value", namespace: Namespace.dataForms, text: method)
    return Element("si", namespace: Namespace.si, [:], [feature("submit", fieldType: nil, [value])])
  }

  /// Which way the answer to an offer chose; nil where it names none.
  package static func method(ofAnswer answer: Element?) -> String? {
    answer.flatMap(field)?.first("value")?.text
  }

  /// The `<error/>` for an offer of none but ways that this side does not go.
  package static var noValidStreams: Element {
    var error = refusal(.badRequest, "this can come in-band (XEP-0047) only").element
    error.children.append(.element(Element("no-valid-streams", namespace: Namespace.si)))
    return error
  }

  static func identifier(_ name: String, of element: Element) throws(StanzaError) -> String {
    do throws(UnreadableElement) {
      return try Identifier.read(name, of: element)
    } catch {
      throw error.error
    }
  }

  static func feature(_ formType: String, fieldType: String?, _ content: [Element]) -> Element {
    let field = Element("field", namespace: Namespace.dataForms, ["var": "stream-method", "type": fieldType], content)
    let form = Element("x", namespace: Namespace.dataForms, ["type": formType], [field])
    return Element("feature", namespace: Namespace.featureNegotiation, [:], [form])
  }

  static func field(of si: Element) -> Element? {
    si.first("feature", namespace: Namespace.featureNegotiation)?.first("x", namespace: Namespace.dataForms)?
      .elements.first { $0.is("field", Namespace.dataForms) && $0["var"] == "stream-method" }
  }
}
