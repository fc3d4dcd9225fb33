package import FoundationEssentials
import XMPP

/// Becoming friends by comparing digits.
extension FriendBook {
  /// Who this node pairs with, and the digits where the owner has to say whether they are the same.
  package var pairingPeer: KeyedPeer? { pairing.peer }
  package var pairingQuestion: (peer: KeyedPeer, digits: String)? { pairing.question }

  /// `nonce`: `TrustLimits.nonceBytes` fresh random bytes. Throws `pairing` while another is under way, and what
  /// `ask` throws.
  package mutating func pair(
    with peer: KeyedPeer, petname: Petname? = nil, nonce: [UInt8], now: Date
  ) throws(TrustError) -> [TrustAction] {
    try checkWelcome(peer.id, peer.address)
    guard nonce.count == TrustLimits.nonceBytes
    else { throw TrustError(.range, "a nonce has \(TrustLimits.nonceBytes) random bytes") }
    if let petname { _ = try friendTable.name(petname, for: peer.id) }
    let actions: [PairingAction]
    do throws(PairingFailure) {
      actions = try pairing.start(with: peer, nonce: nonce, now: now)
    } catch {
      throw TrustError(.pairing, error.text, nextStep: error.nextStep)
    }
    let ended = run(actions, now: now)
    pairingPetname = petname
    return ended + [.tell(.pairingBegun(peer.id, .initiator))]
  }

  /// The owner says that the digits are the same on both sides, and may name the friend. Throws `pairing`.
  package mutating func confirmPairing(petname: Petname? = nil, now: Date) throws(TrustError) -> [TrustAction] {
    if let petname, let peer = pairing.peer {
      _ = try friendTable.name(petname, for: peer.id)
      pairingPetname = petname
    }
    do throws(PairingFailure) {
      return run(try pairing.confirm(now: now), now: now)
    } catch {
      let text = error == .unexpected ? "there are no digits to confirm" : error.text
      throw TrustError(.pairing, text, nextStep: error.nextStep)
    }
  }

  package mutating func cancelPairing(now: Date) -> [TrustAction] {
    run(pairing.cancel(now: now), now: now)
  }

  /// `nonce` is a fresh random one, used if an answer needs it. Only strangers and friends pair.
  package mutating func received(
    _ message: PairingMessage, from peer: KeyedPeer, nonce: [UInt8], now: Date
  ) -> [TrustAction] {
    switch verdict(jid: peer.address, id: peer.id) {
    case .friend, .stranger: break
    case .self, .plaintext, .account, .changed, .mismatch, .blocked:
      return rateLimiter.pass(.pairingRefused(peer.id, .unexpected), now: now)
    }
    let before = pairing.peer
    let actions = run(pairing.received(message, from: peer, nonce: nonce, now: now), now: now)
    guard let begun = pairing.peer, begun.isAlike(peer), before?.isAlike(peer) != true else { return actions }
    return actions + [.tell(.pairingBegun(peer.id, .responder))]
  }

  /// The last stream with this node ended.
  package mutating func disconnected(_ id: NodeID, now: Date) -> [TrustAction] {
    endPairing(with: id, now: now)
  }

  mutating func endPairing(with id: NodeID, now: Date) -> [TrustAction] {
    run(pairing.disconnected(id, now: now), now: now)
  }

  mutating func expirePairing(now: Date) -> [TrustAction] {
    run(pairing.expire(now: now), now: now)
  }

  private mutating func run(_ actions: [PairingAction], now: Date) -> [TrustAction] {
    actions.flatMap { action in
      switch action {
      case .send(let message, let id): return [TrustAction.pair(message, to: id)]
      case .compare(let digits, let id): return [.compare(digits: digits, with: id)]
      case .refused(let id, let failure): return rateLimiter.pass(.pairingRefused(id, failure), now: now)
      case .ended(let id, let failure):
        pairingPetname = nil
        // One attempt at a time, and a pause behind it: nobody can tell it often.
        return [.tell(.pairingEnded(id, failure))]
      case .paired(let peer): return paired(peer, now: now)
      }
    }
  }

  /// Who was a friend already stays what it is; the other side may have forgotten this node.
  private mutating func paired(_ peer: KeyedPeer, now: Date) -> [TrustAction] {
    let petname = pairingPetname
    pairingPetname = nil
    if let friend = friendTable.friends[peer.id] {
      return setRenounced(friend, nil, now: now) + [.send(.subscribed, to: peer.id), .tell(.confirmed(friend))]
    }
    do throws(TrustError) {
      let name = petname.flatMap { friendTable.friend(named: $0) == nil ? $0 : nil }
      return try befriend(peer.id, jid: peer.address, petname: name, origin: .digits, now: now)
    } catch {
      return rateLimiter.pass(.requestRefused(peer.id, peer.address, Self.refusal(error)), now: now)
    }
  }
}
