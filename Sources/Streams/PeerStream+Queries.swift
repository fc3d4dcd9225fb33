import EventLoops
import HTTPTypes
import HTTPX
import Logging
package import NIOCore
import XML
package import XMPP

/// Who waits for the answer to an IQ of ours.
enum Query {
  case stanza(EventLoopPromise<Stanza>)
  /// The response to a request with this method.
  case response(EventLoopPromise<HTTPXResponse>, HTTPRequest.Method)
  /// The ping that finds out whether a silent peer is still there.
  case probe
  /// An `<open/>` or block of a bytestream.
  case transfer(TransferID)
}

/// IQs of ours and theirs (RFC 6120 §8.2.3). Every one is answered, or its deadline is.
extension PeerStream {
  // MARK: Ours

  /// Sends an IQ and gives its result.
  ///
  /// - Throws: `StreamFailure`: what the peer answered, or that it did not.
  nonisolated func query(_ type: String, _ payload: Element, within limit: TimeAmount) async throws -> Stanza {
    let promise = eventLoop.makePromise(of: Stanza.self)
    let id = await ask(type, payload, .stanza(promise), within: limit)
    return try await wait(id, promise.futureResult)
  }

  /// Waits for the answer to an IQ; forgets it when cancelled, and throws `CancellationError`.
  nonisolated func wait<Answer: Sendable>(_ id: String, _ answer: EventLoopFuture<Answer>) async throws -> Answer {
    do {
      return try await answer.value()
    } catch is CancellationError {
      await forget(id)
      throw CancellationError()
    }
  }

  @discardableResult
  func ask(_ type: String, _ payload: Element, _ query: Query, within limit: TimeAmount?) -> String {
    let id = queries.register(query, deadline: limit.map { eventLoop.now + $0 })
    if !handler.send(Stanza(.iq, type: type, id: id, [payload])), let query = queries.resolve(id) {
      resolve(query, .failure(failure ?? .closed("it is closing.")))
    }
    touch()
    rescheduleTimer()
    return id
  }

  private func forget(_ id: String) {
    if let query = queries.resolve(id) { resolve(query, .failure(.cancelled)) }
  }

  func resolve(_ query: Query, _ result: Result<Stanza, StreamFailure>) {
    switch query {
    case .stanza(let promise): promise.completeWith(result.mapError { $0 as any Error })
    case .response(let promise, let method): respond(promise, method, result)
    case .probe: probed(result)
    case .transfer(let id): acknowledged(id, result)
    }
  }

  // MARK: Theirs

  func receivedIQ(_ stanza: Stanza) {
    guard stanza.wantsAnswer else {
      guard let query = queries.resolve(stanza.id) else { return decline(stanza) }
      return resolve(query, stanza.error.map { .failure(.stanza($0)) } ?? .success(stanza))
    }
    if let answer = answer(stanza) { handler.send(answer) }
    touch()
  }

  /// The answer to an IQ get or set; nil where it comes later.
  private func answer(_ stanza: Stanza) -> Stanza? {
    if let violation = stanza.violation { return stanza.error(violation) }
    guard let payload = stanza.payload else { return nil }
    let isGet = stanza.type == "get"
    switch (payload.namespace, payload.name) {
    case (Namespace.http, "close"), (Namespace.http, "cancel"):
      return receivedChunk(payload).map { stanza.error($0) } ?? stanza.result()
    case (Namespace.http, _): return receivedHTTP(stanza, payload)
    case (Namespace.ibb, _) where !isGet: return receivedBytestream(stanza, payload)
    case (Namespace.discoInfo, "query") where isGet: return disco(stanza, payload)
    case (Namespace.discoItems, "query") where isGet:
      return stanza.result(Element("query", namespace: Namespace.discoItems, ["node": payload["node"]]))
    case (Namespace.ping, "ping") where isGet: return stanza.result()
    case (Namespace.version, "query") where isGet: return stanza.result(host.version.query)
    default: return unknown(stanza)
    }
  }

  private func unknown(_ stanza: Stanza) -> Stanza {
    guard let identity, case .taken(let answer) = host.received(stanza, self, identity) else {
      return stanza.error(StanzaError(.serviceUnavailable))
    }
    return answer ?? stanza.result()
  }

  /// A stanza that wants no answer, or whose answer nobody waits for.
  nonisolated package func tell(_ stanza: Stanza) {
    eventLoop.execute { self.assumeIsolated { $0.told(stanza) } }
  }

  private func told(_ stanza: Stanza) {
    var stanza = stanza
    if stanza.kind == .iq { stanza.id = queries.nextID() }
    handler.send(stanza)
    touch()
    rescheduleTimer()
  }

  /// XEP-0030 §3; with a node only where it is the one that we announce (XEP-0115 §6.2).
  private func disco(_ stanza: Stanza, _ query: Element) -> Stanza {
    let info = host.announced(stanza.to ?? host.node())
    guard query["node"] == nil || query["node"] == info.node else {
      return stanza.error(StanzaError(.itemNotFound, "There is no such node here."))
    }
    return stanza.result(info.query(node: query["node"]))
  }

  // MARK: Is it still there?

  func probe() {
    guard !isProbing else { return }
    isProbing = true
    ask("get", Ping.request, .probe, within: Timeouts.control)
  }

  /// Any answer will do, an error too (XEP-0199 §4.1): somebody is there.
  private func probed(_ result: Result<Stanza, StreamFailure>) {
    isProbing = false
    guard case .failure(.timedOut) = result else { return rescheduleTimer() }
    logger.debug("peer is silent", metadata: ["peer": "\(peer?.remote?.text ?? "unknown")"])
    abandon()
  }

  /// Makes sure that a stream still reaches its peer, if it was silent for a while, or goes to none of these addresses,
  /// at which the peer is now.
  ///
  /// - Throws: `StreamFailure` where it does not; it is closed then.
  nonisolated package func verifyLiveness(at addresses: [SocketAddress]) async throws {
    guard await isDoubtful(addresses) else { return }
    do {
      _ = try await query("get", Ping.request, within: Timeouts.query)
    } catch StreamFailure.stanza {
      return
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      await abandon()
      throw StreamFailure.closed("it had gone silent.")
    }
  }

  // MARK: What can it do?

  /// What the peer says that it is and can do; asked for once, if its stream features did not say.
  ///
  /// - Returns: nil where it does not say: half of the known clients never answer a query.
  nonisolated package func info() async throws -> DiscoInfo? {
    try await awaitFeatures()
    if let known = await knownInfo { return known }
    let info = try await askedInfo()
    await learn(info)
    return info
  }

  nonisolated private func askedInfo() async throws -> DiscoInfo? {
    do {
      let query = Element("query", namespace: Namespace.discoInfo)
      return try await self.query("get", query, within: Timeouts.query).payload.flatMap { DiscoInfo($0) }
    } catch StreamFailure.stanza, StreamFailure.timedOut {
      return nil
    }
  }

  private var knownInfo: DiscoInfo?? {
    if let info = features?.info { return info }
    return answeredInfo
  }

  private func learn(_ info: DiscoInfo?) {
    answeredInfo = .some(info)
  }

  /// Whether extensions of ours may be used.
  var isHearth: Bool {
    features?.isHearth ?? answeredInfo??.features.contains(Namespace.hearth) ?? false
  }
}
