import Trust
import XML
import XMPP

extension FuzzTarget {
  /// What nodes say to each other to become friends, and what people pass on: what was read is written as the same.
  static let pairing = FuzzTarget("pairing", longest: 4096) { bytes in
    if let text = String(validating: bytes, as: UTF8.self) {
      if let line = try? InviteLine(text) {
        requireEqual(try? InviteLine(line.description), line, "An invite is written as another one")
        require(line.description.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "Not for everybody to pass on: \(line)")
      }
      if let id = try? NodeID(text) { requireEqual(try? NodeID(id.description), id, "An id is written as another one") }
      if let name = try? Petname(text) {
        requireEqual(try? Petname(name.text), name, "A name is written as another one")
      }
    }
    for element in elements(bytes) {
      if let message = PairingMessage(element) {
        requireEqual(PairingMessage(message.element), message, "A step of pairing is written as another one")
      }
      let chain = KeyRotation.chain(element)
      if element.name == "rotation", !chain.isEmpty {
        requireEqual(
          KeyRotation.chain(KeyRotation.element(chain)), chain, "A change of the key is written as another one")
      }
      guard let stanza = Stanza(element) else { continue }
      if let payload = stanza.payload, let message = PairingMessage(payload) {
        requireEqual(PairingMessage(message.element), message, "A step of pairing is written as another one")
      }
      guard let friendship = Friendship(stanza) else { continue }
      requireEqual(
        Friendship(friendship.stanza(from: stanza.from, to: stanza.to)), friendship,
        "What is said of friendship is written as something else")
      if case .subscribe(let request) = friendship, let greeting = request.greeting {
        require(greeting.utf8.count <= TrustLimits.greetingBytes, "A greeting of \(greeting.utf8.count) bytes")
        require(greeting.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "Not a line: \(greeting)")
      }
    }
  }
}
