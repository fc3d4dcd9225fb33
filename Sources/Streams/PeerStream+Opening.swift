import EventLoops
package import Logging
package import NIOCore
import NIOPosix
import Synchronization
package import XMPP

/// How a stream comes about: it comes in, or is dialled.
extension PeerStream {
  /// A stream that comes in, on a channel that is being set up, on its event loop; it wants to be run.
  package static func accepted(_ channel: any Channel, host: StreamHost, logger: Logger) throws -> PeerStream {
    try accepted(channel, host: host, logger: logger, place: nil)
  }

  static func accepted(
    _ channel: any Channel, host: StreamHost, logger: Logger, place: Admission.Ticket?
  ) throws -> PeerStream {
    let setting = StreamSetting(host: host, logger: logger, place: place)
    return try make(on: channel, role: .responder, tls: .preferred, setting: setting)
  }

  /// Opens a stream to `remote` at the first of its addresses that accepts (RFC 8305), and waits until it is open.
  ///
  /// - Throws: `NIOConnectionError` or `ChannelError.connectTimeout` where no address accepts, `StreamFailure` where no
  ///   stream comes about, `CancellationError`.
  package static func dial(
    _ addresses: [SocketAddress], from local: JID, to remote: JID, tls: TLSPolicy = .preferred, host: StreamHost,
    eventLoop: any EventLoop, logger: Logger
  ) async throws -> PeerStream {
    // One for each address that is tried.
    let made = Mutex<[ObjectIdentifier: PeerStream]>([:])
    let setting = StreamSetting(host: host, logger: logger, dialled: remote, addresses: addresses)
    let connecting = ClientBootstrap(group: eventLoop)
      .resolver(AddressList(addresses, eventLoop: eventLoop))
      .connectTimeout(Timeouts.connect)
      .streamOptions()
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let role = StreamMachine.Role.initiator(local: local, remote: remote)
          let stream = try make(on: channel, role: role, tls: tls, setting: setting)
          made.withLock { $0[ObjectIdentifier(channel)] = stream }
        }
      }
      .connect(host: remote.text, port: 0)
    do {
      let stream = connecting.flatMapThrowing { channel in
        guard let stream = made.withLock({ $0[ObjectIdentifier(channel)] }) else { throw StreamFailure(.hungUp) }
        return stream
      }
      // It may be over by now, and knows why.
      return try await stream.flatMap { stream in stream.opened.map { stream } }.value()
    } catch is CancellationError {
      connecting.whenSuccess { $0.close(promise: nil) }
      throw CancellationError()
    }
  }
}
