import Streams
import Synchronization
import Trust

/// The open streams of each key, whoever opened them.
final class StreamRegistry: Sendable {
  private let streams = Mutex<[NodeID: [PeerStream]]>([:])

  func opened(_ stream: PeerStream, with id: NodeID) {
    streams.withLock { $0[id, default: []].append(stream) }
  }

  /// True where it was the last one with this key.
  func ended(_ stream: PeerStream, with id: NodeID) -> Bool {
    streams.withLock { streams in
      streams[id]?.removeAll { $0 === stream }
      guard streams[id]?.isEmpty != false else { return false }
      streams[id] = nil
      return true
    }
  }

  /// The newest that is usable.
  func stream(with id: NodeID) -> PeerStream? {
    streams.withLock { $0[id]?.last { $0.isOpen } }
  }

  func all(with id: NodeID) -> [PeerStream] {
    streams.withLock { $0[id] ?? [] }
  }
}
