import Codecs
import Testing

struct ByteCountTests {
  @Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1_048_575, "1.0 MiB"),
    (64 << 20, "64.0 MiB"), (3 << 40, "3.0 TiB"), (5000 << 40, "5000.0 TiB"),
  ])
  func byteCounts(_ bytes: Int, _ text: String) {
    #expect(ByteCount.text(bytes) == text)
  }
}
