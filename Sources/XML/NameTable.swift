import Codecs

/// Names of elements and attributes, and namespaces, that the parser of a stream has met, by their bytes.
///
/// A stream uses some sixty over and over. What is here was counted against `XMLLimits.names` by the parser, whose word it is
/// too that a name is one.
final class NameTable {
  private struct Entry {
    let key: TextKey
    let text: String
  }

  /// A name that comes when there are so many is left to the parser each time.
  static let limit = 128
  /// In bytes. What is longer is left to the parser, too.
  static let longest = 64

  private var entries: [Entry] = []
  /// Two for each entry; the number of the entry behind it, 0 where there is none. An entry is in its slot or soon behind.
  private var slots = [UInt8](repeating: 0, count: 256)

  /// The number of this name, below `limit`; nil where the parser has to be asked.
  func find(_ bytes: UnsafeRawBufferPointer) -> Int? {
    let key = TextKey(bytes)
    var slot = key.slot
    while slots[slot] > 0 {
      let number = Int(slots[slot]) - 1
      if entries[number].key == key, bytes.count <= TextKey.whole || entries[number].text.utf8.elementsEqual(bytes) {
        return number
      }
      slot = (slot + 1) & 255
    }
    return nil
  }

  func text(_ number: Int) -> String { entries[number].text }

  /// To be called for what the parser has interned.
  func learn(_ text: String) {
    // The default namespace is never one of these (Namespaces in XML §3), which the parser says.
    guard entries.count < Self.limit, text.utf8.count <= Self.longest, text != XMLWriter.xml, text != XMLWriter.xmlns
    else { return }
    var text = text
    let (key, isKnown) = text.withUTF8 {
      (TextKey(UnsafeRawBufferPointer($0)), find(UnsafeRawBufferPointer($0)) != nil)
    }
    guard !isKnown else { return }
    entries.append(Entry(key: key, text: text))
    var slot = key.slot
    while slots[slot] > 0 { slot = (slot + 1) & 255 }
    slots[slot] = UInt8(entries.count)
  }
}
