package import FoundationEssentials

/// The one way that JSON is written and read on the control socket: sorted keys, ISO 8601 dates in UTC.
package enum ControlJSON {
  /// The version of all documents, which changes when a key changes its meaning or goes; keys that come do not change it.
  private static let schema = 1

  /// A value as a whole document: its keys, and `schema`.
  private struct Document<Value: Encodable>: Encodable {
    let value: Value

    private enum CodingKeys: CodingKey {
      case schema
    }

    func encode(to encoder: any Encoder) throws {
      try value.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(schema, forKey: .schema)
    }
  }

  /// What is written to programs of others: an object, with `schema` at its top and nowhere else.
  package static func encode(document value: some Encodable, pretty: Bool = false) throws -> Data {
    try encode(Document(value: value), pretty: pretty)
  }

  package static func encode(_ value: some Encodable, pretty: Bool = false) throws -> Data {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return try encoder.encode(value)
  }

  package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(type, from: data)
  }
}
