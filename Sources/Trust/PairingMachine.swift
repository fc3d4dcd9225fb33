package import FoundationEssentials

package enum PairingAction: Sendable, Hashable {
  case send(PairingMessage, to: NodeID)
  case compare(digits: String, with: NodeID)
  /// Both owners confirmed.
  case paired(KeyedPeer)
  case ended(NodeID, PairingFailure)
  /// Somebody else was turned away; what is under way goes on.
  case refused(NodeID, PairingFailure)
}

/// Two people make sure that nobody is between their nodes: they compare digits that depend on both keys.
///
/// The initiator is **committed** to its nonce before it knows the responder's; the responder has **answered** with
/// its own before it knows the initiator's. So neither, nor anybody between them, can choose digits: a man in the
/// middle has one guess an attempt. Then both are **comparing**, and are friends once both owners have confirmed.
/// One attempt is pending at a time, a minute at most; after one that failed, peers must wait half a minute. What
/// the owner begins goes before what a peer began.
package struct PairingMachine: Sendable {
  private struct Attempt: Sendable {
    let peer: KeyedPeer
    let role: PairingRole
    let nonce: [UInt8]
    let begun: Date
  }

  private enum State: Sendable {
    case idle
    case committed(Attempt)
    case answered(Attempt, commitment: [UInt8])
    case comparing(Attempt, digits: String, isConfirmed: Bool, byPeer: Bool)
  }

  private var state = State.idle
  private var failed: Date?
  /// DER SubjectPublicKeyInfo of this node.
  private let ownKey: [UInt8]
  private let computing: PairingDigits

  package init(
    ownKey: [UInt8], sha256: @escaping @Sendable ([UInt8]) -> [UInt8], digits: Int = TrustLimits.digits
  ) {
    self.ownKey = ownKey
    computing = PairingDigits(sha256: sha256, count: digits)
  }

  private var attempt: Attempt? {
    switch state {
    case .idle: nil
    case .committed(let attempt), .answered(let attempt, _), .comparing(let attempt, _, _, _): attempt
    }
  }

  /// Who it is that this node pairs with at the moment.
  package var peer: KeyedPeer? { attempt?.peer }

  /// What the owner has to compare and has not confirmed; nil where there is nothing.
  package var question: (peer: KeyedPeer, digits: String)? {
    guard case .comparing(let attempt, let digits, false, _) = state else { return nil }
    return (attempt.peer, digits)
  }

  /// When `expire` ends the attempt.
  package var deadline: Date? { attempt.map { $0.begun + TrustLimits.pairing } }
}

/// The owner.
extension PairingMachine {
  /// Begins, with a fresh random nonce. Throws `busy` where the owner already has a pairing under way.
  package mutating func start(
    with peer: KeyedPeer, nonce: [UInt8], now: Date
  ) throws(PairingFailure) -> [PairingAction] {
    var actions = expire(now: now)
    if let attempt {
      guard attempt.role == .responder, !isConfirmed, attempt.peer.id != peer.id else { throw .busy }
      actions += end(.busy, now: now, tell: true)
    }
    state = .committed(Attempt(peer: peer, role: .initiator, nonce: nonce, begun: now))
    let commitment = computing.commitment(nonceA: nonce, keyA: ownKey, keyB: peer.key)
    return actions + [.send(.commit(commitment), to: peer.id)]
  }

  private var isConfirmed: Bool {
    guard case .comparing(_, _, let isConfirmed, _) = state else { return false }
    return isConfirmed
  }

  /// The owner says that both sides show the same digits. Throws where there are none to compare any more.
  package mutating func confirm(now: Date) throws(PairingFailure) -> [PairingAction] {
    let expired = expire(now: now)
    guard expired.isEmpty, case .comparing(let attempt, let digits, false, let byPeer) = state
    else { throw expired.isEmpty ? .unexpected : .expired }
    state = byPeer ? .idle : .comparing(attempt, digits: digits, isConfirmed: true, byPeer: false)
    return [.send(.confirm, to: attempt.peer.id)] + (byPeer ? [.paired(attempt.peer)] : [])
  }

  /// The owner says that the digits differ, or does not want to go on.
  package mutating func cancel(now: Date) -> [PairingAction] {
    end(.cancelled, now: now, tell: true)
  }
}

/// The peer and time.
extension PairingMachine {
  /// `nonce` is a fresh random one, used if an answer needs it.
  package mutating func received(
    _ message: PairingMessage, from peer: KeyedPeer, nonce: [UInt8], now: Date
  ) -> [PairingAction] {
    let expired = expire(now: now)
    return expired + apply(message, from: peer, nonce: nonce, now: now)
  }

  /// The stream with this node ended.
  package mutating func disconnected(_ id: NodeID, now: Date) -> [PairingAction] {
    attempt?.peer.id == id ? end(.disconnected, now: now, tell: false) : []
  }

  package mutating func expire(now: Date) -> [PairingAction] {
    guard let attempt, now < attempt.begun || now >= attempt.begun + TrustLimits.pairing else { return [] }
    return end(.expired, now: now, tell: true)
  }

  private mutating func apply(
    _ message: PairingMessage, from peer: KeyedPeer, nonce: [UInt8], now: Date
  ) -> [PairingAction] {
    if case .commit(let commitment) = message {
      return committed(commitment, by: peer, nonce: nonce, now: now)
    }
    // What belongs to no attempt is left over from an old one. Other keys have no say.
    guard let attempt, attempt.peer.key == peer.key else { return [] }
    switch (message, state) {
    case (.cancel(let reason), _): return end(reason.asTold, now: now, tell: false)
    case (.nonce(let theirs), .committed):
      let digits = computing.digits(nonceA: attempt.nonce, nonceB: theirs, keyA: ownKey, keyB: peer.key)
      state = .comparing(attempt, digits: digits, isConfirmed: false, byPeer: false)
      return [.send(.reveal(attempt.nonce), to: peer.id), .compare(digits: digits, with: peer.id)]
    case (.reveal(let theirs), .answered(_, let commitment)):
      guard computing.commitment(nonceA: theirs, keyA: peer.key, keyB: ownKey) == commitment
      else { return end(.commitment, now: now, tell: true) }
      let digits = computing.digits(nonceA: theirs, nonceB: attempt.nonce, keyA: peer.key, keyB: ownKey)
      state = .comparing(attempt, digits: digits, isConfirmed: false, byPeer: false)
      return [.compare(digits: digits, with: peer.id)]
    case (.confirm, .comparing(_, let digits, let isConfirmed, false)):
      state = isConfirmed ? .idle : .comparing(attempt, digits: digits, isConfirmed: false, byPeer: true)
      return isConfirmed ? [.paired(peer)] : []
    case (.commit, _), (.nonce, _), (.reveal, _), (.confirm, _):
      return end(.unexpected, now: now, tell: true)
    }
  }

  /// Where both sides begin at once, the one with the lower key stays the initiator.
  private mutating func committed(
    _ commitment: [UInt8], by peer: KeyedPeer, nonce: [UInt8], now: Date
  ) -> [PairingAction] {
    if let attempt {
      guard attempt.peer.key == peer.key else { return refuse(peer, .busy) }
      guard case .committed = state else { return end(.unexpected, now: now, tell: true) }
      // Both nodes know both keys, so both come to the same end; nothing of the abandoned nonce was revealed.
      if ownKey.lexicographicallyPrecedes(peer.key) { return [] }
    } else if let failed, now >= failed, now < failed + TrustLimits.pairingPause {
      return refuse(peer, .paused)
    }
    let answer = Attempt(peer: peer, role: .responder, nonce: nonce, begun: attempt?.begun ?? now)
    state = .answered(answer, commitment: commitment)
    return [.send(.nonce(nonce), to: peer.id)]
  }

  private func refuse(_ peer: KeyedPeer, _ failure: PairingFailure) -> [PairingAction] {
    [.send(.cancel(failure), to: peer.id), .refused(peer.id, failure)]
  }

  private mutating func end(_ failure: PairingFailure, now: Date, tell: Bool) -> [PairingAction] {
    guard let attempt else { return [] }
    state = .idle
    failed = now
    return (tell ? [.send(.cancel(failure), to: attempt.peer.id)] : []) + [.ended(attempt.peer.id, failure)]
  }
}

extension PairingFailure {
  /// What the other side's reason is on this side.
  fileprivate var asTold: PairingFailure {
    switch self {
    case .busy, .paused, .expired: self
    case .cancelled, .declined, .commitment, .unexpected, .disconnected: .declined
    }
  }
}
