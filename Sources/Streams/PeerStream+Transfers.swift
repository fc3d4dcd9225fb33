import Bytestreams
import NIOCore
import XMPP

/// Transfers both ways: their time, their end, and what goes onto the wire.
extension PeerStream {
  /// When a transfer has something to do by itself.
  var nextTransferDeadline: NIODeadline? {
    let receiving = incoming.values.compactMap { ($0 as? IncomingChunks)?.deadline }
    let sending = outgoing.values.compactMap { ($0 as? OutgoingChunks)?.deadline }
    return (receiving + sending + [earlyOpens.deadline, cancelled.deadline].compactMap { $0 }).min()
  }

  func tickTransfers(now: NIODeadline) {
    for (id, transfer) in incoming {
      if let chunks = transfer as? IncomingChunks { perform(chunks.timedOut(now: now), id) }
    }
    for (id, transfer) in outgoing {
      if let chunks = transfer as? OutgoingChunks { perform(chunks.timedOut(now: now), id) }
    }
    for (_, early) in earlyOpens.expire(now: now) { refuseOpen(early) }
    _ = cancelled.expire(now: now)
  }

  func failTransfers(_ failure: StreamFailure) {
    for transfer in incoming.values { transfer.fail(failure) }
    for transfer in outgoing.values { transfer.fail(failure) }
    outgoing = [:]
    becameWritable()
  }

  func perform(_ effects: [TransferEffect], _ id: TransferID) {
    for effect in effects { perform(effect, id) }
  }

  private func perform(_ effect: TransferEffect, _ id: TransferID) {
    switch effect {
    case .result(let iq): handler.send(Stanza(.iq, type: "result", id: iq))
    case .error(let iq, let error): handler.send(Stanza(.iq, type: "error", id: iq, [error.element]))
    case .request(.open(let open)):
      ask("set", IBBElement.open(open).element, .transfer(id), within: Timeouts.control)
    // The end of a bytestream: whatever is answered, nothing follows.
    case .request(let element):
      handler.send(Stanza(.iq, type: "set", id: queries.nextID(), [element.element]))
    case .block(let block): handler.send(block, id: queries.register(.transfer(id), deadline: nil))
    case .chunk(let chunk): handler.send(chunk)
    case .message(let element): handler.send(Stanza(.message, element.elements))
    }
  }
}
