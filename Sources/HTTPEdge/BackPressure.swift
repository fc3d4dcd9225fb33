import NIOCore

/// What holds the two directions of a channel back: reading stops while the reader of a body has enough, and writing while
/// the socket has.
struct BackPressure {
  /// The body that is being received, where it did not come with its head.
  var body: BodyStream?
  private var isReadWanted = false
  private var writer: CheckedContinuation<Void, Never>?

  private var isFull: Bool { body?.assumeIsolated { $0.isFull } ?? false }

  /// The channel wants to read: false where it has to wait until `resumesReading`.
  mutating func mayRead(isHeldBack: Bool = false) -> Bool {
    isReadWanted = isHeldBack || isFull
    return !isReadWanted
  }

  /// True: read now, as that had to wait.
  mutating func resumesReading(isHeldBack: Bool = false) -> Bool {
    guard isReadWanted, !isHeldBack, !isFull else { return false }
    isReadWanted = false
    return true
  }

  /// Resumed when the socket can take more, or nothing more is to be written.
  mutating func wait(for channel: (any Channel)?, _ continuation: CheckedContinuation<Void, Never>) {
    // A task that was cancelled before this found nobody to resume.
    guard let channel, !channel.isWritable, !Task.isCancelled else { return continuation.resume() }
    writer = continuation
  }

  mutating func resumeWriting() {
    writer.take()?.resume()
  }
}
