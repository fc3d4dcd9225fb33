import NIOCore
import Streams
import Synchronization
import XMPP

/// The streams that this node opened, one a device: found, awaited while being dialled, or to be dialled now.
///
/// Requests go only over streams of our own. Without TLS a stream that came in may claim any name, and would otherwise
/// be given the requests meant for the device of that name.
final class StreamPool: Sendable {
  enum Lookup {
    case open(PeerStream)
    case dialling(EventLoopFuture<PeerStream>)
    /// The caller sees to it that `dialled` is called.
    case dial(EventLoopFuture<PeerStream>)
  }

  private enum Entry {
    case open(PeerStream)
    case dialling(EventLoopPromise<PeerStream>)
  }

  private struct State {
    var entries: [JID: Entry] = [:]
    var isShutDown = false
  }

  private let state = Mutex(State())
  private let eventLoopGroup: any EventLoopGroup

  init(eventLoopGroup: any EventLoopGroup) {
    self.eventLoopGroup = eventLoopGroup
  }

  /// - Throws: `StreamFailure.closed` once the node shuts down.
  func lookup(_ device: JID) throws(StreamFailure) -> Lookup {
    try state.withLock { state throws(StreamFailure) in
      guard !state.isShutDown else { throw Self.shuttingDown }
      switch state.entries[device] {
      case .open(let stream) where stream.isOpen: return .open(stream)
      case .dialling(let promise): return .dialling(promise.futureResult)
      case .open, nil:
        let promise = eventLoopGroup.next().makePromise(of: PeerStream.self)
        state.entries[device] = .dialling(promise)
        return .dial(promise.futureResult)
      }
    }
  }

  static let shuttingDown = StreamFailure.closed("this node is shutting down.")

  func dialled(_ device: JID, _ result: Result<PeerStream, any Error>) {
    let promise: EventLoopPromise<PeerStream>? = state.withLock { state in
      guard case .dialling(let promise)? = state.entries[device] else { return nil }
      state.entries[device] = (try? result.get()).map { .open($0) }
      return promise
    }
    promise?.completeWith(result)
  }

  func ended(_ stream: PeerStream, to device: JID) {
    state.withLock { state in
      if case .open(let current)? = state.entries[device], current === stream { state.entries[device] = nil }
    }
  }

  /// Nobody will dial any more.
  func shutDown() {
    let waiting = state.withLock { state in
      let waiting = state.entries.values.compactMap { if case .dialling(let promise) = $0 { promise } else { nil } }
      state = State(isShutDown: true)
      return waiting
    }
    for promise in waiting { promise.fail(Self.shuttingDown) }
  }

  /// Those that are open.
  var count: Int {
    state.withLock { state in
      state.entries.values.count { if case .open(let stream) = $0 { stream.isOpen } else { false } }
    }
  }
}
