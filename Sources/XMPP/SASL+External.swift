import XML

/// EXTERNAL as the responder has it.
extension SASL {
  static func response(to element: Element, from peer: JID?, isChallenged: Bool) -> NegotiationStep.Response {
    do throws(Condition) {
      switch element.name {
      case "auth":
        guard element["mechanism"] == external else { throw .invalidMechanism }
        // EXTERNAL begins with the client: who did not is asked to (RFC 6120 §6.4.2).
        guard !element.text.isEmpty else { return .challenge(challenge) }
      case "response" where isChallenged: break
      case "abort": throw .aborted
      default: return .stray
      }
      try authorize(decode(element.text), peer)
      return .completed(saying: success)
    } catch {
      return .refused(failure(error))
    }
  }

  /// Nobody acts for another here: the identity to be, where one is named, is the one in the header.
  private static func authorize(_ authzid: [UInt8], _ peer: JID?) throws(Condition) {
    guard !authzid.isEmpty else { return }
    guard let authzid = String(validating: authzid, as: UTF8.self).flatMap({ JID($0) }), authzid.bare == peer
    else { throw .invalidAuthzid }
  }
}
