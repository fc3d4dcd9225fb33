import NIOCore

/// A regular file that is open for reading and known to lie below its folder. Calls block: run them on a thread pool.
final class OpenFile: Sendable {
  private let descriptor: Descriptor
  private let status: FileStatus

  /// In bytes, when it was found.
  var size: Int { status.size }
  var validators: Validators { status.validators }

  init(_ place: Place) throws(Descriptor.Failure) {
    descriptor = try Descriptor(reading: place.descriptor)
    status = place.status
  }

  /// Reads `count` bytes at `offset`; throws where the file has become shorter meanwhile.
  func read(_ count: Int, at offset: Int) throws(FileFolderError) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.reserveCapacity(count)
    while bytes.readableBytes < count {
      let done = bytes.readableBytes
      let got = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { space in
        descriptor.read(into: .init(rebasing: space.prefix(count - done)), at: offset + done)
      }
      guard got > 0 else { throw FileFolderError("a file became shorter, or unreadable, while it was sent") }
    }
    return bytes
  }
}
