import NIOCore
import Synchronization
import Trust

/// What anybody may ask of a stream without a hop to its event loop: who is there, whether it can be used, how it ended; and
/// what is awaited of it.
final class StreamLife: Sendable {
  private struct State {
    var identity: PeerIdentity?
    var failure: StreamFailure?
  }

  private let state = Mutex(State())
  private let usable = Atomic(true)
  private let openedPromise: EventLoopPromise<Void>
  private let featuresPromise: EventLoopPromise<Void>
  private let endedPromise: EventLoopPromise<Void>

  init(eventLoop: any EventLoop) {
    openedPromise = eventLoop.makePromise()
    featuresPromise = eventLoop.makePromise()
    endedPromise = eventLoop.makePromise()
  }

  /// False once the stream is closing, or found to be dead.
  var isUsable: Bool { usable.load(ordering: .relaxed) }
  /// Known once the stream is open.
  var identity: PeerIdentity? { state.withLock { $0.identity } }
  /// Why the stream is over, once it is.
  var failure: StreamFailure? { state.withLock { $0.failure } }

  /// Succeeds when the stream is open, fails with `StreamFailure` where it never will be.
  var opened: EventLoopFuture<Void> { openedPromise.futureResult }
  /// Succeeds once the features have come, or none will.
  var features: EventLoopFuture<Void> { featuresPromise.futureResult }
  /// Succeeds when the stream has ended and nothing of it is under way.
  var ended: EventLoopFuture<Void> { endedPromise.futureResult }

  func setUnusable() { usable.store(false, ordering: .relaxed) }

  /// Who is there, as far as it will be known.
  func isKnown(_ identity: PeerIdentity) { state.withLock { $0.identity = identity } }

  func hasOpened() { openedPromise.succeed() }

  func hasFeatures() { featuresPromise.succeed() }

  func fails(_ failure: StreamFailure) {
    setUnusable()
    state.withLock { $0.failure = failure }
    openedPromise.fail(failure)
    featuresPromise.succeed()
  }

  func hasEnded() { endedPromise.succeed() }
}
