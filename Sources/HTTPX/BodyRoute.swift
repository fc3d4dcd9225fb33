package import Bytestreams

/// What a peer is told of a body that it has to ask for.
package enum BodyOffer: Sendable, Hashable {
  case publication(Publication)
  case session(JingleSession)
}

/// Where a body goes: into the stanza, or beside it by a name that the stanza announces.
package struct BodyRoute: Sendable {
  package let data: BodyData
  /// nil where the body is in the stanza, or there is none.
  package let transfer: TransferID?
  /// Bytes in a block or chunk beside the stanza.
  package let blockSize: Int

  /// What has to be asked for, or accepted, before the transfer begins.
  package var offer: BodyOffer? {
    switch data {
    case .sipub(let publication): .publication(publication)
    case .jingle(let session): .session(session)
    default: nil
    }
  }

  /// nil for a body that cannot be sent.
  ///
  /// - Parameter file: what a body is published as, and by whom.
  package init?(_ plan: BodyPlan, file: @autoclosure () -> (SIFile, from: String?) = (SIFile(name: "body"), nil)) {
    switch plan {
    case .inline(let data): (self.data, transfer, blockSize) = (data, nil, 0)
    case .ibb(let size):
      let name = Self.newName()
      (data, transfer, blockSize) = (.ibb(sid: name), TransferID(.ibb, name), size)
    case .chunks(let size):
      let name = Self.newName()
      (data, transfer, blockSize) = (.chunks(streamId: name), TransferID(.chunks, name), size)
    case .sipub(let size):
      // The names differ (XEP-0137 §4.1).
      let name = Self.newName()
      let (file, from) = file()
      data = .sipub(Publication(id: Self.newName(), from: from, file: file))
      (transfer, blockSize) = (TransferID(.ibb, name), size)
    case .jingle(let size):
      let name = Self.newName()
      let (file, initiator) = file()
      data = .jingle(
        JingleSession(
          sid: Self.newName(), initiator: initiator, file: file, transport: IBBOpen(sid: name, blockSize: size)))
      (transfer, blockSize) = (TransferID(.ibb, name), size)
    case .direct(let offer, let size):
      let name = Self.newName()
      let (file, _) = file()
      data = .jingle(
        JingleSession(
          sid: Self.newName(), initiator: offer.local, file: file, transport: IBBOpen(sid: name, blockSize: size),
          direct: offer.transport(sid: name, isInitiator: true)))
      (transfer, blockSize) = (TransferID(.ibb, name), size)
    case .unsendable: return nil
    }
  }

  /// A session in which both sides send.
  init(session blockSize: Int) {
    let name = Self.newName()
    (data, transfer, self.blockSize) = (.ibb(sid: name), TransferID(.ibb, name), blockSize)
  }

  /// Unique in the stream, and not to be guessed by whoever else may write to it.
  private static func newName() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
