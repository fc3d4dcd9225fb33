import Bytestreams
import NIOCore
import XMPP

/// An in-band bytestream to the peer. The machine inside decides.
///
/// More than eight properties: it is agreed on, opened, and goes in-band, beside the stream, or from there back in-band.
final class OutgoingBytestream {
  private let sid: String
  private var blockSize: Int
  private let completion: EventLoopPromise<Void>
  private var machine: IBBSenderMachine
  /// What comes before it is opened, where the peer has to ask for it.
  private var agreement: Agreement?
  private var writer: CheckedContinuation<Void, any Error>?
  /// Whether the producer has to wait: until there is room, or it has failed.
  private var isFull = false
  private var isOpened = false
  /// Both sides send in it.
  private let isDuplex: Bool
  private let windows: SendWindows
  /// When its `<open/>` left, while the answer is awaited.
  private var asked: NIODeadline?
  /// The way beside the stream, as long as it is to go so.
  private var route: DataRoute?
  /// The peer may still choose between both ways.
  private var isUndecided = false
  /// Written, and not sent yet: before it is known which way it goes, and what completes the announced size.
  private var held: [ByteBuffer] = []
  private var isFinished = false
  /// Bytes that the socket beside the stream has not taken.
  private var unsent = 0
  /// Bytes that were written, of what goes or may go beside the stream.
  private var written = 0
  /// The peer has been asked to go on in-band.
  private var isReplacing = false
  /// Who may have it in the clear beside the stream.
  private var plainPeer: DirectPeer?

  enum Agreement {
    case sipub(SIPubSenderMachine)
    case jingle(JingleSenderMachine)
  }

  init(
    sid: String, blockSize: Int, isDuplex: Bool = false, by agreement: Agreement? = nil,
    windows: SendWindows = SendWindows(), eventLoop: any EventLoop
  ) {
    self.sid = sid
    self.blockSize = blockSize
    self.agreement = agreement
    self.isDuplex = isDuplex
    self.windows = windows
    completion = eventLoop.makePromise()
    machine = IBBSenderMachine(sid: sid, blockSize: blockSize)
    if agreement == nil { asked = eventLoop.now }
    noteWindow()
  }

  deinit { windows.bytes -= windowBytes }

  private var now: NIODeadline { completion.futureResult.eventLoop.now }
  /// What is counted of its window.
  private var windowBytes = 0

  private func noteWindow() {
    let bytes = machine.windowBytes
    guard bytes != windowBytes else { return }
    windows.bytes += bytes - windowBytes
    windowBytes = bytes
  }

  private func open(_ open: IBBOpen) -> TransferEffect {
    asked = now
    return .request(.open(open))
  }

  /// Completed once: when the reader has all of it, or with the reason why it will never have it.
  var outcome: EventLoopFuture<Void> { completion.futureResult }

  /// The name that the peer asks for it by, where it has to.
  var offered: TransferID? {
    switch agreement {
    case .sipub(let machine): TransferID(.sipub, machine.publication.id)
    case .jingle(let machine): TransferID(.jingle, machine.session.sid)
    case nil: nil
    }
  }

  /// Until when it has to be asked for.
  var deadline: NIODeadline? {
    switch agreement {
    case .sipub(let machine): machine.deadline ?? route?.deadline
    case .jingle(let machine): machine.deadline ?? route?.deadline
    case nil: nil
    }
  }

  /// Nothing was begun of which the peer would have to learn the end.
  private var isUnknownToPeer: Bool {
    switch agreement {
    case .sipub(let machine): !machine.isAgreed
    case .jingle(let machine): !machine.isAccepted
    case nil: false
    }
  }

  /// The peer accepts the session; `blockSize` is what it takes, `direct` where it can be reached.
  func accepted(blockSize: Int?, direct: S5BTransport?, iq: String, now: NIODeadline) -> [TransferEffect] {
    guard case .jingle(var machine)? = agreement, let open = machine.accepted(blockSize: blockSize)
    else { return [.error(id: iq, JingleSenderMachine.unknown)] }
    agreement = .jingle(machine)
    self.blockSize = open.blockSize
    guard let route = route as? DirectRoute else { return [.result(id: iq), self.open(open)] }
    return [.result(id: iq)] + settle(route.begin(direct, now: now))
  }

  /// The peer asks for what is published.
  func requested(iq: String) -> [TransferEffect] {
    guard case .sipub(var machine)? = agreement,
      let offer = machine.requested(mayGoBeside: isUndecided && plainPeer?.mayBeReached ?? false)
    else { return [.error(id: iq, SIPubSenderMachine.unknown)] }
    agreement = .sipub(machine)
    return [.answer(id: iq, SIPub.starting(sid)), .ask(type: "set", offer.element)]
  }

  /// Nobody asked for it in time, or no connection came about.
  func expire(now: NIODeadline) -> [TransferEffect] {
    if isUnknownToPeer || route == nil { return expireOffer(now: now) }
    return route.map { settle($0.expire(now: now)) } ?? []
  }

  private func expireOffer(now: NIODeadline) -> [TransferEffect] {
    let error: BytestreamError
    switch agreement {
    case .sipub(var machine)?:
      guard machine.expire(now: now) else { return [] }
      (agreement, error) = (.sipub(machine), SIPubSenderMachine.neverRequested)
    case .jingle(var machine)?:
      guard machine.expire(now: now) else { return [] }
      (agreement, error) = (.jingle(machine), JingleSenderMachine.neverAccepted)
    case nil: return []
    }
    leaveRoute()
    return machine.failed(error).map(effects) ?? []
  }

  /// The answer to the offer of what is published.
  private func agreed(_ result: Result<Stanza, StreamFailure>, _ offered: SIPubSenderMachine) -> [TransferEffect] {
    switch result {
    case .success(let answer):
      do throws(BytestreamError) {
        var offered = offered
        let goesBeside = try offered.accepted(answer.payload)
        agreement = .sipub(offered)
        if goesBeside, let plainPeer {
          let route = PlainRoute(offered.publication.file, sid: sid, TransferID(.ibb, sid), plainPeer)
          (self.route, isUndecided) = (route, false)
          return [route.query]
        }
        if isUndecided { goInBand() }
        return [open(IBBOpen(sid: sid, blockSize: blockSize))]
      } catch {
        leaveRoute()
        return machine.failed(error).map(effects) ?? []
      }
    case .failure(let failure):
      leaveRoute()
      return machine.failed(failure).map(effects) ?? []
    }
  }

  /// Takes bytes; true where the producer has to `waitForRoom` before it writes more.
  func write(_ bytes: ByteBuffer) throws -> (effects: [TransferEffect], mustWait: Bool) {
    let (effects, mustWait) = try take(bytes)
    isFull = mustWait
    return (effects, mustWait)
  }

  private func take(_ bytes: ByteBuffer) throws -> (effects: [TransferEffect], mustWait: Bool) {
    if route != nil || isUndecided {
      written += bytes.readableBytes
      held.append(bytes)
      guard let route else { return ([], true) }
      if let size = route.file.size, written > size { throw BytestreamError.longer(than: size) }
      return ([], sendHeld(route))
    }
    switch machine.write(bytes, now: now) {
    case .send(let blocks, let waits): return (blocks.map { .block($0) }, waits)
    case .refuse(let error): throw error
    }
  }

  /// At once where there is room by now: a producer that runs elsewhere comes here a turn of the loop after it has written.
  func waitForRoom(_ waiter: CheckedContinuation<Void, any Error>) {
    guard isFull else { return waiter.resume() }
    writer = waiter
  }

  private func makeRoom() {
    isFull = false
    writer.take()?.resume()
  }

  /// Whoever waits for room does so no longer.
  func cancelWaiting() { writer.take()?.resume(throwing: CancellationError()) }

  /// All has been written. `isLast`: the peer sends nothing in this session any more.
  func finish(isLast: Bool) -> [TransferEffect] {
    if let route {
      isFinished = true
      _ = sendHeld(route)
      return endIfShort() + endIfSent()
    }
    if isUndecided {
      isFinished = true
      return []
    }
    switch machine.finish(leavesOpen: isDuplex && !isLast, now: now) {
    case .close(let sid): return close(sid)
    case .send(let blocks): return blocks.map { .block($0) }
    // In the second case it has ended, and `outcome` has told how.
    case .wait, .refuse: return []
    }
  }

  /// The peer has opened the session.
  ///
  /// - Parameter isHeld: blocks wait for `resume`.
  func opened(_ open: IBBOpen, isHeld: Bool) -> [TransferEffect] {
    guard isDuplex, !isOpened else { return [] }
    isOpened = true
    return progress(machine.opened(blockSize: open.blockSize, isHeld: isHeld, now: now))
  }

  /// The answer to `<open/>`, and after that to a block.
  func answered(_ result: Result<Stanza, StreamFailure>, isHeld: Bool) -> [TransferEffect] {
    if isReplacing { return replacementAnswered(result) }
    if let route = route as? PlainRoute { return settle(route.answered(result, now: now)) }
    if case .sipub(let machine)? = agreement, machine.isOffered { return agreed(result, machine) }
    return isOpened ? acknowledged(result, isHeld) : opened(result, isHeld)
  }

  /// Whether `resume` has something to send.
  var isHeldBack: Bool { machine.isHeldBack }

  func resume() -> [TransferEffect] { progress(machine.resume(now: now)) }

  private func opened(_ result: Result<Stanza, StreamFailure>, _ isHeld: Bool) -> [TransferEffect] {
    switch result {
    case .success:
      isOpened = true
      if let asked = asked.take() { windows.measured(now - asked) }
      return progress(machine.opened(blockSize: blockSize, isHeld: isHeld, now: now))
    case .failure(.stanza(let error)):
      switch machine.openRefused(error) {
      case .none: return []
      case .reopen(let blockSize): return [open(IBBOpen(sid: sid, blockSize: blockSize))]
      case .end(let end): return effects(end)
      }
    case .failure(let failure):
      return machine.failed(failure).map(effects) ?? []
    }
  }

  private func acknowledged(_ result: Result<Stanza, StreamFailure>, _ isHeld: Bool) -> [TransferEffect] {
    switch result {
    case .success:
      progress(machine.acknowledged(isHeld: isHeld, on: windows.path(besides: windowBytes), now: now))
    case .failure(.stanza(let error)): machine.refused(error).map(effects) ?? []
    case .failure(let failure): machine.failed(failure).map(effects) ?? []
    }
  }

  /// The producer failed or went away. The peer must not take what it has for the whole.
  func cancel() -> [TransferEffect] {
    // Of what was never begun nobody needs to know, and what goes beside the stream ends with its connection.
    let isUnknown = isUnknownToPeer || route != nil
    leaveRoute()
    let end = isUnknown ? machine.failed(BytestreamError.cancelled) : machine.cancel()
    return end.map { effects($0) + terminate("cancel") } ?? []
  }

  /// The other direction of the session broke, and with it this one.
  func breakSession() -> [TransferEffect] { isDuplex ? cancel() : [] }

  /// The peer wants no more.
  func closed() {
    leaveRoute()
    _ = machine.peerClosed().map(effects)
  }

  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure) {
    leaveRoute()
    _ = machine.failed(failure).map(effects)
  }

  private func progress(_ action: IBBSenderMachine.ProgressAction) -> [TransferEffect] {
    noteWindow()
    switch action {
    case .none: return []
    case .send(let blocks, let resumes):
      if resumes != nil { makeRoom() }
      return blocks.map { .block($0) }
    case .close(let sid): return close(sid)
    case .finished:
      completion.succeed()
      return []
    }
  }

  private func close(_ sid: String) -> [TransferEffect] {
    completion.succeed()
    return [.request(.close(sid: sid))] + terminate("success")
  }

  /// Ends the session that it belongs to.
  private func terminate(_ reason: String) -> [TransferEffect] {
    guard case .jingle(let machine)? = agreement, machine.isAccepted else { return [] }
    return [.notify(Jingle.terminate(machine.session.sid, reason: reason))]
  }

  private func effects(_ end: IBBSenderMachine.End) -> [TransferEffect] {
    noteWindow()
    if let error = end.error {
      isFull = false
      writer.take()?.resume(throwing: error)
      completion.fail(error)
    } else {
      completion.succeed()
    }
    return end.elements.map { .request($0) }
  }
}

/// Beside the stream.
extension OutgoingBytestream {
  /// It is offered as one that goes so.
  func goes(by route: DirectRoute) { self.route = route }

  /// It is published, and may go so in the clear.
  func mayGo(to peer: DirectPeer) { (plainPeer, isUndecided) = (peer, true) }

  /// It goes, or is to go, beside the stream.
  var isDirect: Bool { route != nil }

  private func leaveRoute() {
    route?.end()
    (route, held, isUndecided) = (nil, [], false)
  }

  /// Whether the producer has to wait. A peer that has as many bytes as were announced takes them for the whole: what completes
  /// them waits until the producer has said that this was all.
  private func sendHeld(_ route: DataRoute) -> Bool {
    guard route.connection != nil else { return true }
    guard isFinished || written != route.file.size else { return false }
    for bytes in held {
      unsent += bytes.readableBytes
      route.write(bytes)
    }
    held = []
    return unsent >= Limits.dataAhead
  }

  private func settle(_ step: (effects: [TransferEffect], outcome: DataRoute.Outcome)) -> [TransferEffect] {
    switch step.outcome {
    case .none: return step.effects
    case .connected:
      connected()
      return step.effects + endIfShort()
    case .fallBack:
      guard let route = route as? DirectRoute else {
        leaveRoute()
        return step.effects + (machine.failed(Self.notReached).map(effects) ?? [])
      }
      isReplacing = true
      return step.effects + [.ask(type: "set", route.session.replace)]
    }
  }

  private func connected() {
    guard let route else { return }
    route.start()
    if !sendHeld(route) { makeRoom() }
  }

  private static let notReached = BytestreamError(.refused, "the other side could not connect to this one")

  /// The peer ends the connection once it has as much as was announced; what is less, this side has to break off.
  private func endIfShort() -> [TransferEffect] {
    guard let route, route.connection != nil, isFinished, written < route.file.size ?? 0 else { return [] }
    return cancel()
  }

  /// In the clear it is whoever has the body that ends it, and many wait for that.
  private func endIfSent() -> [TransferEffect] {
    guard let route = route as? PlainRoute, route.connection != nil, isFinished, unsent == 0 else { return [] }
    return taken(route)
  }

  func connected(_ result: Result<DataConnection, any Error>, isOwn: Bool) -> [TransferEffect] {
    guard let route else {
      if case .success(let connection) = result { connection.close() }
      return []
    }
    return settle(route.connected(result, isOwn: isOwn))
  }

  func told(_ told: Jingle.Connection) -> [TransferEffect] {
    (route as? DirectRoute).map { settle($0.told(told)) } ?? []
  }

  /// The socket has taken so many bytes.
  func sent(_ count: Int) {
    unsent -= count
    if unsent <= Limits.dataAhead / 2, route?.connection != nil { makeRoom() }
    // In the clear nothing is told at the end.
    _ = endIfSent()
  }

  /// The peer has nothing to send but its end: when it has all, or wants no more.
  func came(_ event: DataConnection.Event) -> [TransferEffect] {
    guard let route, route.connection != nil else { return [] }
    guard case .ended = event, isFinished else {
      leaveRoute()
      return machine.failed(BytestreamError.closedEarly).map { effects($0) + terminate("cancel") } ?? []
    }
    return taken(route)
  }

  /// The peer has all of it.
  private func taken(_ route: DataRoute) -> [TransferEffect] {
    route.leave()
    self.route = nil
    guard machine.failed(BytestreamError.cancelled) != nil else { return [] }
    completion.succeed()
    return terminate("success")
  }

  private func replacementAnswered(_ result: Result<Stanza, StreamFailure>) -> [TransferEffect] {
    guard case .failure(let failure) = result else { return [] }
    leaveRoute()
    return machine.failed(failure).map(effects) ?? []
  }

  /// The peer goes on in-band: what was written goes that way, from the first byte.
  func replacementAccepted(blockSize: Int?, iq: String) -> [TransferEffect] {
    guard isReplacing, let route else { return [.error(id: iq, JingleSenderMachine.unknown)] }
    route.end()
    (isReplacing, self.route) = (false, nil)
    self.blockSize = min(self.blockSize, blockSize ?? self.blockSize)
    goInBand()
    return [.result(id: iq), open(IBBOpen(sid: sid, blockSize: self.blockSize))]
  }

  /// What was written waits for the bytestream to be opened.
  private func goInBand() {
    isUndecided = false
    var mustWait = false
    for bytes in held {
      if case .send(_, let wait) = machine.write(bytes, now: now) { mustWait = wait }
    }
    held = []
    if isFinished { _ = machine.finish(now: now) } else if !mustWait { makeRoom() }
  }
}

/// A row of chunks to the peer. Nothing answers them, so all that slows the producer down is the socket.
final class OutgoingChunks {
  private let completion: EventLoopPromise<Void>
  private var machine: ChunkSenderMachine

  init(streamId: String, chunkSize: Int, eventLoop: any EventLoop) {
    completion = eventLoop.makePromise()
    machine = ChunkSenderMachine(streamId: streamId, chunkSize: chunkSize)
  }

  /// Completed once: when all is sent, or with the reason why the reader will never have it.
  var outcome: EventLoopFuture<Void> { completion.futureResult }
  /// When what is held back has to go; nil while nothing is.
  var deadline: NIODeadline? { machine.deadline }

  func write(_ bytes: ByteBuffer, now: NIODeadline) throws -> [TransferEffect] {
    switch machine.write(bytes, now: now) {
    case .send(let chunks): chunks.map { .chunk($0) }
    case .refuse(let error): throw error
    }
  }

  /// All has been written.
  func finish() -> [TransferEffect] {
    switch machine.finish() {
    case .send(let chunks):
      completion.succeed()
      return chunks.map { .chunk($0) }
    // It has ended, and `outcome` has told how.
    case .refuse: return []
    }
  }

  func expire(now: NIODeadline) -> [TransferEffect] {
    machine.timedOut(now: now).map { .chunk($0) }
  }

  /// The producer failed or went away.
  func cancel() -> [TransferEffect] {
    guard let element = machine.cancel() else { return [] }
    completion.fail(BytestreamError.cancelled)
    return [.message(element)]
  }

  /// The peer wants no more.
  func closed() {
    if machine.peerClosed() { completion.fail(BytestreamError.closedEarly) }
  }

  /// The stream underneath is gone.
  func fail(_ failure: StreamFailure) {
    if machine.failed(failure) { completion.fail(failure) }
  }
}
