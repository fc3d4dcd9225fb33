import NIOCore
import NIOPosix
import TLS

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why an upstream gave no whole response.
package struct HTTPClientError: Error {
  package enum Code: String, Sendable {
    /// Nothing listens there, or it may not be opened.
    case refused
    /// The host's name has no address.
    case unresolved
    /// No connection within the limit.
    case connectTimedOut
    /// No response head within the limit.
    case responseTimedOut
    /// The connection was reset.
    case reset
    /// The connection ended inside the response or before it, or without saying so in TLS.
    case closedEarly
    /// What came is not HTTP/1, or framed in two ways; `message` says which.
    case malformed
    /// The certificate is not one that the address trusts, or belongs to another key than the server's.
    case untrusted
    /// There is no TLS with this server, or somebody changed what it sent.
    case tlsFailed
    /// The server refused TLS with us.
    case tlsAlert
    /// The request cannot be written as HTTP/1, or its body did not have the length that was announced.
    case invalidRequest
    /// Too many requests wait for this upstream.
    case limit
  }

  package let code: Code
  package let address: HTTPAddress
  /// What was met, for people.
  package let message: String

  package init(_ code: Code, _ address: HTTPAddress, _ message: String) {
    self.code = code
    self.address = address
    self.message = message
  }
}

extension HTTPClientError: CustomStringConvertible {
  package var description: String { "\(address): \(message)" }
}

extension HTTPClientError {
  /// Of an attempt to connect.
  init(connecting error: any Error, to address: HTTPAddress) {
    switch error {
    case let error as HTTPClientError: self = error
    case let error as TLSError: self.init(error, with: address)
    case ChannelError.connectTimeout: self.init(.connectTimedOut, address, "no connection in time")
    case let error as NIOConnectionError where error.connectionErrors.isEmpty:
      self.init(.unresolved, address, "the name has no address")
    case let error as NIOConnectionError:
      self.init(connecting: error.connectionErrors[0].error, to: address)
    case let error as IOError where error.errnoCode == ETIMEDOUT:
      self.init(.connectTimedOut, address, "no connection in time")
    case let error as IOError: self.init(.refused, address, error.reason)
    case SocketAddressError.unknown: self.init(.unresolved, address, "the name has no address")
    default: self.init(.refused, address, "\(error)")
    }
  }

  /// Of an open connection.
  init(exchanging error: any Error, with address: HTTPAddress) {
    switch error {
    case let error as HTTPClientError: self = error
    case let error as TLSError: self.init(error, with: address)
    case let error as HTTPMessageError: self.init(.malformed, address, error.message)
    case let error as IOError: self.init(.reset, address, error.reason)
    case is ChannelError: self.init(.closedEarly, address, "the connection ended before the response")
    default: self.init(.malformed, address, "\(error)")
    }
  }
}

extension IOError {
  /// The system's words for it.
  fileprivate var reason: String { String(cString: strerror(errnoCode)) }
}
