import NIOCore
import NIOPosix

/// Addresses that are known already, as a resolver: NIO then races them by Happy Eyeballs (RFC 8305).
final class AddressList: Resolver, Sendable {
  private let ipv4: [SocketAddress]
  private let ipv6: [SocketAddress]
  private let eventLoop: any EventLoop

  init(_ addresses: [SocketAddress], eventLoop: any EventLoop) {
    ipv4 = addresses.filter { $0.protocol == .inet }
    ipv6 = addresses.filter { $0.protocol == .inet6 }
    self.eventLoop = eventLoop
  }

  /// In this order, whatever they are of: NIO takes from both lists by turns, and from that for IPv6 first.
  init(inOrder addresses: [SocketAddress], eventLoop: any EventLoop) {
    ipv6 = addresses.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
    ipv4 = addresses.enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
    self.eventLoop = eventLoop
  }

  func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
    eventLoop.makeSucceededFuture(ipv4)
  }

  func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
    eventLoop.makeSucceededFuture(ipv6)
  }

  func cancelQueries() {}
}
