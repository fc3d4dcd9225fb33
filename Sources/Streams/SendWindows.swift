import Bytestreams
import NIOCore

/// What the in-band bytestreams to one peer share: how much they may have in flight together, and how long a round trip takes.
///
/// Lives on the stream's event loop.
final class SendWindows {
  /// Bytes of all windows beyond which none grows. 0: none does, since nobody knows what the peer can hold.
  var limit = 0
  /// Bytes of all windows, those included that cannot be smaller.
  var bytes = 0
  /// The shortest time to the answer of an `<open/>`, which waits for no reader, unlike that of a block.
  private(set) var roundTrip: TimeAmount?

  func measured(_ time: TimeAmount) { roundTrip = min(roundTrip ?? time, time) }

  /// For one of them, of whose window so many bytes are counted.
  func path(besides counted: Int) -> IBBSenderMachine.Path {
    IBBSenderMachine.Path(roundTrip: roundTrip, room: max(0, limit - (bytes - counted)))
  }
}
