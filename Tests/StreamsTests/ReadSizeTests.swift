import Testing

@testable import Streams

struct ReadSizeTests {
  /// What turns of these bytes and stanzas lead to.
  private func size(after turns: [(bytes: Int, stanzas: Int)]) -> (size: Int, changes: Int) {
    var (size, changes) = (ReadSize(), 0)
    for turn in turns where size.turned(turn.bytes, stanzas: turn.stanzas) != nil { changes += 1 }
    return (size.bytes, changes)
  }

  private static let requests = [(bytes: Int, stanzas: Int)](repeating: (bytes: 8 * 525, stanzas: 8), count: 20)

  @Test func beginsWithAllThatThereIsRoomFor() {
    #expect(size(after: []).size == 65_536)
  }

  @Test func smallStanzasAreReadEightAtATime() {
    let (size, changes) = size(after: Self.requests)
    #expect((8 * 525...9 * 525).contains(size))
    #expect(changes == 4, "16, 8, 4 and so on, and then no more")
  }

  @Test func aBlockIsReadWhole() {
    #expect(size(after: Self.requests + [(bytes: 4096, stanzas: 0)]).size == 65_536)
    #expect(size(after: Self.requests + [(bytes: 65_700, stanzas: 1)]).size == 65_536)
  }

  @Test func whatComesBetweenBlocksShrinksLittle() {
    let mixed = [(bytes: 65_600, stanzas: 1), (bytes: 525, stanzas: 1)]
    #expect(size(after: mixed + mixed + mixed).size == 32_768)
  }

  @Test func neverLessThanAPage() {
    #expect(size(after: [(bytes: Int, stanzas: Int)](repeating: (bytes: 59, stanzas: 1), count: 20)).size == 4096)
  }
}
