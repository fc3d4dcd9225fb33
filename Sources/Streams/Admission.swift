import NIOCore
import Synchronization
import Trust

/// Counts streams by the address they come from, so that one host cannot take all the places.
final class Admission: Sendable {
  /// A place for one stream, until its connection is closed.
  struct Ticket: Sendable {
    fileprivate let number: Int
    fileprivate let admission: Admission

    /// Negotiation is over, and the stream lives on; false where there is no place for it.
    func established(isKnown: Bool) -> Bool { admission.establish(number, isKnown ? .known : .stranger) }
    /// It was asked for, and does not count among those that come as they like.
    func forgive() { admission.forgive(number) }
    /// So many bytes wait for the peer to read them; false where that is more than may be kept for it.
    func mayHold(_ bytes: Int) -> Bool { admission.hold(number, bytes) }
    /// The connection is closed. Once is enough, more is no harm.
    func release() { admission.release(number) }
  }

  fileprivate enum Kind: Sendable { case negotiating, known, stranger }

  fileprivate struct Counts: Equatable {
    private var negotiating = 0, known = 0, stranger = 0

    subscript(kind: Kind) -> Int {
      get {
        switch kind {
        case .negotiating: negotiating
        case .known: known
        case .stranger: stranger
        }
      }
      set {
        switch kind {
        case .negotiating: negotiating = newValue
        case .known: known = newValue
        case .stranger: stranger = newValue
        }
      }
    }
  }

  fileprivate struct Place {
    let address: String
    var kind: Kind
    /// Bytes that wait for the peer to read them.
    var unsent = 0
  }

  fileprivate struct State {
    var places: [Int: Place] = [:]
    var all = Counts()
    var byAddress: [String: Counts] = [:]
    /// Bytes that wait for all who are not known.
    var unsentToStrangers = 0
    var lastNumber = 0
    var rates = RateTable<String>(
      burst: Limits.connectionBurst, interval: Limits.connectionInterval, capacity: Limits.countedAddresses)
  }
  private let state = Mutex(State())

  /// Nil where a limit is reached: nothing was read yet, and no key was asked for.
  func admit(_ address: String, now: NIODeadline = .now()) -> Ticket? {
    let number: Int? = state.withLock { state in
      guard state.rates.take(address, now: now.date), state.hasPlace(.negotiating, for: address) else { return nil }
      state.lastNumber += 1
      state.places[state.lastNumber] = Place(address: address, kind: .negotiating)
      state.count(address, .negotiating, 1)
      return state.lastNumber
    }
    return number.map { Ticket(number: $0, admission: self) }
  }

  private func establish(_ number: Int, _ kind: Kind) -> Bool {
    state.withLock { state in
      guard let place = state.places[number] else { return false }
      guard place.kind == .negotiating else { return true }
      guard state.hasPlace(kind, for: place.address) else { return false }
      if kind == .known { state.hold(number, 0) }
      state.places[number]?.kind = kind
      state.count(place.address, .negotiating, -1)
      state.count(place.address, kind, 1)
      return true
    }
  }

  private func forgive(_ number: Int) {
    state.withLock { state in
      if let place = state.places[number] { state.rates.giveBack(place.address) }
    }
  }

  /// Known peers have their own limit only. Others share one: each may have a little, and a few of them more.
  private func hold(_ number: Int, _ bytes: Int) -> Bool {
    state.withLock { state in
      guard let place = state.places[number] else { return false }
      guard place.kind != .known else { return bytes <= Limits.unsentBytes }
      state.hold(number, bytes)
      return bytes <= Limits.unsentBytesOfStranger
        || bytes <= Limits.unsentBytes && state.unsentToStrangers <= Limits.unsentBytesOfStrangers
    }
  }

  private func release(_ number: Int) {
    state.withLock { state in
      state.hold(number, 0)
      guard let place = state.places.removeValue(forKey: number) else { return }
      state.count(place.address, place.kind, -1)
    }
  }

  /// Addresses and places that are remembered: none where nobody is connected.
  var remembered: Int { state.withLock { $0.places.count + $0.byAddress.count } }
}

extension Admission.State {
  fileprivate func hasPlace(_ kind: Admission.Kind, for address: String) -> Bool {
    all[kind] < kind.limit && (byAddress[address]?[kind] ?? 0) < kind.limitPerAddress
  }

  fileprivate mutating func hold(_ number: Int, _ bytes: Int) {
    guard let place = places[number], place.kind != .known else { return }
    unsentToStrangers += bytes - place.unsent
    places[number]?.unsent = bytes
  }

  fileprivate mutating func count(_ address: String, _ kind: Admission.Kind, _ change: Int) {
    all[kind] += change
    var counts = byAddress[address] ?? .init()
    counts[kind] += change
    byAddress[address] = counts == .init() ? nil : counts
  }
}

extension Admission.Kind {
  fileprivate var limit: Int {
    switch self {
    case .negotiating: Limits.negotiatingStreams
    case .known: Limits.streams
    case .stranger: Limits.strangerStreams
    }
  }

  fileprivate var limitPerAddress: Int {
    switch self {
    case .negotiating: Limits.negotiatingStreamsPerAddress
    case .known: Limits.streamsPerAddress
    case .stranger: Limits.strangerStreamsPerAddress
    }
  }
}
