import XMPP

/// As plain text in the store, which holds bare addresses only.
extension JID: Decodable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let jid = JID(bare: text)
    else { throw DecodingError.dataCorruptedError(in: container, debugDescription: "“\(text)” is no device's name") }
    self = jid
  }
}

extension JID: Encodable {
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
