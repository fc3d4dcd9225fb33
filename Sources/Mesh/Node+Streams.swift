import EventLoops
import LinkLocal
import Logging
import NIOCore
import Streams
import Trust
import XMPP

/// How a node reaches a device, and what its streams are told to do.
extension Node {
  /// A stream that reaches the device, as far as can be known before something is sent.
  func stream(to device: JID) async throws -> PeerStream {
    switch try pool.lookup(device) {
    case .open(let stream):
      // Friends may have changed since it was opened.
      try await check(stream, to: device, announcedAs: directory.hint(of: device))
      do {
        try await stream.verifyLiveness(
          at: Set(directory.device(device)?.endpoints.compactMap(\.socketAddress?.host) ?? []))
        return stream
      } catch is StreamFailure {
        // It is closed, so this time one is dialled.
        return try await self.stream(to: device)
      }
    case .dialling(let future):
      return try await future.value()
    case .dial(let future):
      jobsContinuation.yield(.dial(device))
      return try await future.value()
    }
  }

  /// Opens a stream and lives with it until it ends.
  func dial(_ device: JID) async {
    do {
      let stream = try await open(device)
      pool.dialled(device, .success(stream))
      directory.answered(device)
      await live(with: stream)
      pool.ended(stream, to: device)
    } catch {
      pool.dialled(device, .failure(error))
    }
  }

  func live(with stream: PeerStream) async {
    await stream.run()
    gatekeeper.ended(stream, stream.identity)
  }

  /// - Throws: `MeshError`; `StreamFailure` where this node stops.
  private func open(_ jid: JID) async throws -> PeerStream {
    guard let device = directory.device(jid) else {
      throw MeshError(
        .notDiscovered, device: jid,
        message: "No device “\(jid)” is announced on this network.", nextStep: .listDevices)
    }
    let addresses = device.endpoints.compactMap(\.socketAddress)
    guard !addresses.isEmpty else {
      let what = device.state == .gone ? "has left the network" : "is listed on the network, and does not answer"
      throw MeshError(.away, device: jid, message: "“\(jid)” \(what). Is it switched on?", lastSeen: device.seen)
    }
    do {
      // Whether there has to be TLS is for us to say: one in the middle could take the offer out.
      // What is announced from now on comes too late to count for this stream.
      let hint = directory.hint(of: jid)
      let expected = trustService.expectedKey(of: jid, hint: hint)
      let stream = try await PeerStream.dial(
        addresses, from: table.node, to: jid, tls: expected == nil ? .preferred : .required, host: streamHost,
        eventLoop: eventLoopGroup.next(), logger: logger)
      do {
        try await check(stream, to: jid, announcedAs: hint)
      } catch {
        gatekeeper.ended(stream, stream.identity)
        throw error
      }
      return stream
    } catch let error as MeshError {
      throw error
    } catch is CancellationError {
      throw StreamPool.shuttingDown
    } catch let error as StreamFailure {
      // Somebody accepts, and never says a word: a program that hangs.
      if case .timedOut = error { directory.dialFailed(jid) }
      throw MeshError(error, device: jid, lastSeen: device.seen)
    } catch {
      directory.dialFailed(jid)
      throw MeshError(unreachable: jid, error, lastSeen: device.seen)
    }
  }

  /// Whom we reached: a device with another key than its name belongs to gets nothing from us.
  private func check(_ stream: PeerStream, to jid: JID, announcedAs hint: String?) async throws {
    guard let identity = stream.identity else { return }
    let standing = gatekeeper.standing(identity, hint: hint)
    directory.learned(jid, key: identity.id, announcedAs: hint)
    guard let refusal = standing.refusal else { return }
    stream.terminate()
    gatekeeper.tell(refusal, identity)
    guard standing != .blocked else {
      throw MeshError(
        .forbidden, device: jid,
        message: "You have blocked the node of “\(jid)”.", nextStep: identity.id.map { .unblock($0) })
    }
    throw MeshError(.changed, device: jid, message: "“\(jid)” is not who it should be: \(refusal.detail).")
  }

  var streamHost: StreamHost {
    let gatekeeper = self.gatekeeper
    let table = self.table
    let router = self.router
    let quietTimer = self.quietTimer
    return StreamHost(
      node: { table.node },
      isLocal: { table.isLocal($0) },
      version: SoftwareVersion(name: "Hearth", version: configuration.version),
      info: { table.service($0) == nil ? Capabilities.ofNode : Capabilities.ofService },
      security: security,
      opened: { gatekeeper.opened($0, $1) },
      refused: { gatekeeper.failed($0) },
      received: { stanza, _, identity in
        stanza.kind == .message
          ? .taken(ChatAutoReply.reply(to: stanza, at: table.node, offering: table.all))
          : gatekeeper.received(stanza, identity)
      },
      answer: { incoming, send in
        defer { quietTimer.requestEnded() }
        let caller = gatekeeper.caller(incoming.peer)
        try await router.answer(incoming.request, for: incoming.device, from: caller, send: send)
      })
  }
}
