package import Bytestreams

/// Where a body goes: into the stanza, or beside it by a name that the stanza announces.
package struct BodyRoute: Sendable {
  package let data: BodyData
  /// nil where the body is in the stanza, or there is none.
  package let transfer: TransferID?
  /// Bytes in a block or chunk beside the stanza.
  package let blockSize: Int

  /// nil for a body that cannot be sent.
  package init?(_ plan: BodyPlan) {
    switch plan {
    case .inline(let data): (self.data, transfer, blockSize) = (data, nil, 0)
    case .ibb(let size):
      let name = Self.newName()
      (data, transfer, blockSize) = (.ibb(sid: name), TransferID(.ibb, name), size)
    case .chunks(let size):
      let name = Self.newName()
      (data, transfer, blockSize) = (.chunks(streamId: name), TransferID(.chunks, name), size)
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
