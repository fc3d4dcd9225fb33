import Codecs
package import HTTPTypes
import Synchronization

/// What one request is called in the logs of each node that it passes, and by the app: made where it enters the mesh.
///
/// It travels in `Hearth-Via`, behind the name of the front that made it: `hearth-3w5e11264sgsf; id=mfzwizltmnuxk`.
package struct RequestID: Sendable, Hashable {
  /// 13 letters and digits of base32: 64 bits.
  package let text: String

  private static let length = 13
  private static let key = "id="
  private static let made = Atomic<UInt64>(0)

  /// A new one, that tells nobody how many there were before: the hash of their number, by a key that each process makes.
  package init() {
    var hasher = Hasher()
    hasher.combine(Self.made.wrappingAdd(1, ordering: .relaxed).newValue)
    let number = UInt64(bitPattern: Int64(hasher.finalize()))
    text = String(unsafeUninitializedCapacity: Self.length) { characters in
      for index in 0..<Self.length {
        characters[index] = Base32.lowercase.character(Int(truncatingIfNeeded: number >> (5 * index)) & 31)
      }
      return Self.length
    }
  }

  /// The one that a request came with; nil where it has none, or what stands there is none.
  package init?(in fields: HTTPFields) {
    guard let value = fields.value(of: .hearthVia) else { return nil }
    self.init(via: value)
  }

  /// At the end of a value of `Hearth-Via`.
  init?(via value: String) {
    guard Self.isAtEnd(of: value) else { return nil }
    text = String(decoding: value.utf8.suffix(Self.length), as: UTF8.self)
  }

  /// By bytes, since each request asks. A value that is longer than any of ours has none.
  static func isAtEnd(of value: String) -> Bool {
    var value = value
    return value.withUTF8 { bytes in
      guard (key.utf8.count + length...MeshLimits.recordedVia).contains(bytes.count) else { return false }
      let start = bytes.count - length
      guard bytes[start - 3] == UInt8(ascii: "i"), bytes[start - 2] == UInt8(ascii: "d"),
        bytes[start - 1] == UInt8(ascii: "=")
      else { return false }
      for index in start..<bytes.count {
        let byte = bytes[index]
        let isLetter = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
        guard isLetter || byte >= UInt8(ascii: "2") && byte <= UInt8(ascii: "7") else { return false }
      }
      return true
    }
  }

  /// What names it, for the end of a value of `Hearth-Via`.
  package var parameter: String { Self.key + text }
}

extension HTTPField.Name {
  /// By which fronts a request came here, and its `RequestID`.
  package static let hearthVia = Self("Hearth-Via")!
}
