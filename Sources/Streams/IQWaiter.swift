import Bytestreams
import HTTPTypes
import HTTPX
import NIOCore
import Synchronization
import XMPP

/// Who waits for the answer to an IQ of ours.
enum IQWaiter {
  case stanza(CheckedContinuation<Stanza, any Error>)
  /// The response to a request with this method, which may have asked for a WebSocket.
  case response(ResponseWaiter, HTTPRequest.Method, upgrading: Bool)
  /// What the peer can do, for whoever wants to know.
  case info(EventLoopPromise<Void>)
  /// The ping that finds out whether a silent peer is still there.
  case probe
  /// An `<open/>` or block of a bytestream.
  case transfer(TransferID)
}

enum ResponseWaiter {
  case continuation(CheckedContinuation<ExchangeStep, any Error>)
  /// Of a request whose body is sent meanwhile.
  case promise(EventLoopPromise<HTTPXResponse>)

  func resume(with result: Result<ReceivedResponse, any Error>) {
    switch self {
    case .continuation(let continuation):
      continuation.resume(with: result.map(\.step))
    case .promise(let promise): promise.completeWith(result.map(\.response))
    }
  }
}

struct ReceivedResponse {
  let response: HTTPXResponse
  /// In which both sides send from now on, where the protocol has changed.
  let session: TransferID?

  /// What the task goes on with.
  var step: ExchangeStep {
    session.map { .upgraded(UpgradedExchange(response: response, session: $0)) } ?? .answered(response)
  }
}

/// An exchange whose protocol has changed. A reference, since every request's task has room for one and few have it.
final class UpgradedExchange: Sendable {
  let response: HTTPXResponse
  /// What the caller sends goes by this transfer.
  let session: TransferID

  init(response: HTTPXResponse, session: TransferID) {
    (self.response, self.session) = (response, session)
  }
}

/// How far a request of ours has come when its task goes on.
enum ExchangeStep: Sendable {
  case answered(HTTPXResponse)
  case upgraded(UpgradedExchange)
  /// Its body goes beside the stanza.
  indirect case uploading(id: String, EventLoopFuture<HTTPXResponse>, TransferID)
  /// Nothing was sent: first it has to be known whether the peer is there, and what it can do.
  case unprepared
}

/// A request of ours between its task and the stream's loop: what is given up where the task is cancelled.
final class PendingExchange: Sendable {
  private enum State {
    case new
    case begun(id: String)
    case cancelled
  }

  private let state = Mutex(State.new)

  /// False where nobody waits for it any more.
  func begins(as id: String) -> Bool {
    state.withLock { state in
      guard case .new = state else { return false }
      state = .begun(id: id)
      return true
    }
  }

  /// The IQ to be forgotten; nil where none was sent, nor will be.
  func cancel() -> String? {
    state.withLock { state in
      defer { state = .cancelled }
      return if case .begun(let id) = state { id } else { nil }
    }
  }
}
