import Synchronization

/// Counts streams by the address they come from, so that one host cannot take all the places.
final class Admission: Sendable {
  /// A place for one stream, until its connection is closed.
  struct Ticket: Sendable {
    fileprivate let number: Int
    fileprivate let admission: Admission

    /// Negotiation is over, and the stream lives on.
    func established() { admission.establish(number) }
    /// The connection is closed. Once is enough, more is no harm.
    func release() { admission.release(number) }
  }

  fileprivate struct Counts: Equatable { var negotiating = 0, established = 0 }
  fileprivate struct Place {
    let address: String
    var isEstablished = false
  }
  fileprivate struct State {
    var places: [Int: Place] = [:]
    var all = Counts()
    var byAddress: [String: Counts] = [:]
    var lastNumber = 0
  }
  private let state = Mutex(State())

  /// Nil where a limit is reached.
  func admit(_ address: String) -> Ticket? {
    let number: Int? = state.withLock { state in
      let counts = state.byAddress[address] ?? Counts()
      guard state.all.negotiating < Limits.negotiatingStreams, state.all.established < Limits.streams,
        counts.negotiating < Limits.negotiatingStreamsPerAddress, counts.established < Limits.streamsPerAddress
      else { return nil }
      state.lastNumber += 1
      state.places[state.lastNumber] = Place(address: address)
      state.count(address, negotiating: 1, established: 0)
      return state.lastNumber
    }
    return number.map { Ticket(number: $0, admission: self) }
  }

  private func establish(_ number: Int) {
    state.withLock { state in
      guard let place = state.places[number], !place.isEstablished else { return }
      state.places[number]?.isEstablished = true
      state.count(place.address, negotiating: -1, established: 1)
    }
  }

  private func release(_ number: Int) {
    state.withLock { state in
      guard let place = state.places.removeValue(forKey: number) else { return }
      state.count(place.address, negotiating: place.isEstablished ? 0 : -1, established: place.isEstablished ? -1 : 0)
    }
  }

  /// Addresses and places that are remembered: none where nobody is connected.
  var remembered: Int { state.withLock { $0.places.count + $0.byAddress.count } }
}

extension Admission.State {
  fileprivate mutating func count(_ address: String, negotiating: Int, established: Int) {
    all.negotiating += negotiating
    all.established += established
    var counts = byAddress[address] ?? .init()
    counts.negotiating += negotiating
    counts.established += established
    byAddress[address] = counts == .init() ? nil : counts
  }
}
