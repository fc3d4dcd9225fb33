import Codecs

/// Names of elements and attributes, and namespaces, that the parser of a stream has met, by their bytes.
///
/// A stream uses some sixty over and over. What is here was counted against `XMLLimits.names` by the parser, whose word it is
/// too that a name is one.
final class NameTable {
  /// A name that comes when there are so many is left to the parser each time.
  static let limit = 128
  /// In bytes. What is longer is left to the parser, too.
  static let longest = 64

  /// By their numbers.
  private(set) var texts: [String] = []
  private var keys: [TextKey] = []
  /// Two for each name; the number of the one behind it and 1, or 0 where there is none. A name is in its slot or soon behind.
  private var slots = [UInt8](repeating: 0, count: 256)

  /// By the number of a name, what came behind it last; behind these, what a stanza began with. Mostly that comes again. No number where
  /// nothing has.
  private var followers = [UInt8](repeating: .max, count: limit + 1)

  /// What the beginning of a stanza is in the place of a name that was read before.
  static let start = UInt8(limit)

  /// The number of the name of an element or attribute that begins at `start`, and where it ends; nil where the parser has to be asked.
  ///
  /// - Parameter last: the number of the name that was read before.
  func name(
    _ bytes: UnsafeRawBufferPointer, from start: Int, behind last: UInt8
  ) -> (number: UInt8, end: Int)? {
    let expected = followers[Int(last)]
    if Int(expected) < keys.count {
      let key = keys[Int(expected)]
      let end = start + key.count
      if key.count <= TextKey.whole, end < bytes.count, bytes[end].endsName,
        TextKey(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) == key
      {
        return (expected, end)
      }
    }
    var end = start
    while end < bytes.count, !bytes[end].endsName { end += 1 }
    guard let number = find(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) else { return nil }
    followers[Int(last)] = number
    return (number, end)
  }

  /// The number of this name, below `limit`; nil where the parser has to be asked.
  func find(_ bytes: UnsafeRawBufferPointer) -> UInt8? {
    let key = TextKey(bytes)
    var slot = key.slot
    while slots[slot] > 0 {
      let number = slots[slot] - 1
      if keys[Int(number)] == key,
        bytes.count <= TextKey.whole || texts[Int(number)].utf8.elementsEqual(bytes)
      {
        return number
      }
      slot = (slot + 1) & 255
    }
    return nil
  }

  func find(_ text: String) -> UInt8? {
    var text = text
    return text.withUTF8 { find(UnsafeRawBufferPointer($0)) }
  }

  /// To be called for what the parser has interned.
  func learn(_ text: String) {
    // The default namespace is never one of these (Namespaces in XML §3), which the parser says.
    guard texts.count < Self.limit, text.utf8.count <= Self.longest, text != XMLWriter.xml, text != XMLWriter.xmlns,
      find(text) == nil
    else { return }
    var text = text
    let key = text.withUTF8 { TextKey(UnsafeRawBufferPointer($0)) }
    keys.append(key)
    texts.append(text)
    var slot = key.slot
    while slots[slot] > 0 { slot = (slot + 1) & 255 }
    slots[slot] = UInt8(texts.count)
  }
}

extension UInt8 {
  /// Letters first, since most are. A colon ends a prefix, which is the parser's; namespaces, which are names as well, have one.
  fileprivate var endsName: Bool {
    self <= UInt8(ascii: ">")
      && (self == UInt8(ascii: " ") || self == UInt8(ascii: "=") || self == UInt8(ascii: ">")
        || self == UInt8(ascii: "/") || self == UInt8(ascii: ":"))
  }
}
