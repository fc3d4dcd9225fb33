import FoundationEssentials
import Synchronization

/// When a device last showed a sign of life. Shared by all that is made of its entry, so that an answer of the device is
/// noted without the directory's lock.
final class LastSign: Sendable {
  /// Seconds since the reference date, as the bits of a `Double`.
  private let bits: Atomic<UInt64>

  init(_ time: Date) {
    bits = Atomic(time.timeIntervalSinceReferenceDate.bitPattern)
  }

  var time: Date { Date(timeIntervalSinceReferenceDate: Double(bitPattern: bits.load(ordering: .relaxed))) }

  /// An earlier sign than the last one counts for nothing.
  func note(_ time: Date) {
    let new = time.timeIntervalSinceReferenceDate
    var known = bits.load(ordering: .relaxed)
    while Double(bitPattern: known) < new {
      let result = bits.weakCompareExchange(expected: known, desired: new.bitPattern, ordering: .relaxed)
      if result.exchanged { return }
      known = result.original
    }
  }
}
