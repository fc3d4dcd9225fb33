import NIOCore
import Synchronization

/// What one server has open: the channels that it listens on, and the connections whose responders may run.
final class OpenConnections: Sendable {
  /// Connections whose sockets are open, of all listeners.
  private let count = Atomic(0)
  private struct State {
    var listeners: [any Channel] = []
    var listening = 0
    var connections: [ObjectIdentifier: ServerConnection] = [:]
    var isEnding = false
    var waiter: CheckedContinuation<Void, Never>?

    /// Who waits for the end, where it has come.
    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
      listening == 0 && connections.isEmpty ? waiter.take() : nil
    }
  }

  private let state = Mutex(State())

  var accepted: Int { count.load(ordering: .relaxed) }

  /// Counts one until it is closed, which is told.
  func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
    count.add(1, ordering: .relaxed)
    return channel.closeFuture.always { [self] _ in count.subtract(1, ordering: .relaxed) }
  }

  /// Never one with a request under way or in another protocol, nor one that came just now and may be about to ask. Nothing
  /// happens where there is no other.
  func closeLongestIdle() {
    let latest = NIODeadline.now() - HTTPServerLimits.spared
    let connections = state.withLock {
      $0.connections.values.compactMap { connection in
        connection.idleSince.map { (since: $0, connection: connection) }
      }
    }
    connections.filter { $0.since <= latest }.min { $0.since < $1.since }?.connection.closeIfIdle()
  }

  var listeners: [any Channel] { state.withLock { $0.listeners } }

  func add(listener: any Channel) {
    state.withLock { state in
      state.listeners.append(listener)
      state.listening += 1
    }
    listener.closeFuture.whenComplete { [self] _ in
      let waiter = state.withLock { state in
        state.listening -= 1
        return state.takeWaiter()
      }
      waiter?.resume()
    }
  }

  /// False where the server ends: nothing of this connection may be answered any more.
  func add(_ connection: ServerConnection) -> Bool {
    state.withLock { state in
      guard !state.isEnding else { return false }
      state.connections[ObjectIdentifier(connection)] = connection
      return true
    }
  }

  func ended(_ connection: ServerConnection) {
    let waiter = state.withLock { state in
      state.connections[ObjectIdentifier(connection)] = nil
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  /// Accepts no more; connections close when nothing of theirs is in progress.
  func quiesce() {
    let (listeners, connections) = end()
    for listener in listeners { listener.close(promise: nil) }
    for connection in connections {
      connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }

  /// Closes all, which cancels what still responds.
  func cut() {
    let (listeners, connections) = end()
    for listener in listeners { listener.close(promise: nil) }
    for connection in connections { connection.cut() }
  }

  private func end() -> ([any Channel], [ServerConnection]) {
    state.withLock { state in
      state.isEnding = true
      return (state.listeners, Array(state.connections.values))
    }
  }

  /// Returns when every channel is closed and no responder runs. To be called once.
  func waitUntilEnded() async {
    await withCheckedContinuation { continuation in
      let waiter = state.withLock { state in
        state.waiter = continuation
        return state.takeWaiter()
      }
      waiter?.resume()
    }
  }
}
