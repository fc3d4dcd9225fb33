import Bytestreams
import HTTPTypes
import HTTPX
import NIOCore
import XMPP

/// Who waits for the answer to an IQ of ours.
enum IQWaiter {
  case stanza(CheckedContinuation<Stanza, any Error>)
  /// The response to a request with this method.
  case response(ResponseWaiter, HTTPRequest.Method)
  /// The ping that finds out whether a silent peer is still there.
  case probe
  /// An `<open/>` or block of a bytestream.
  case transfer(TransferID)
}

enum ResponseWaiter {
  case continuation(CheckedContinuation<HTTPXResponse, any Error>)
  /// Of a request whose body is sent meanwhile.
  case promise(EventLoopPromise<HTTPXResponse>)

  func resume(with result: Result<HTTPXResponse, any Error>) {
    switch self {
    case .continuation(let continuation): continuation.resume(with: result)
    case .promise(let promise): promise.completeWith(result)
    }
  }
}
