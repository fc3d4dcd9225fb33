import NIOCore
import Synchronization

/// What one server has open: the channels that it listens on, and the connections whose responders may run.
final class OpenConnections: Sendable {
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
