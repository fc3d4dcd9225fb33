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

  @Test(arguments: [
    ("0", 0), ("65536", 65536), ("512B", 512), ("512 B", 512), ("64MiB", 64 << 20), ("64 MiB", 64 << 20),
    ("3KiB", 3072),
    ("2GiB", 2 << 30), ("1TiB", 1 << 40), ("", nil), ("MiB", nil), ("1.5MiB", nil), ("-1MiB", nil), ("+1MiB", nil),
    ("64 MB", nil), ("64mib", nil), ("64  MiB", nil), ("64 ", nil), (" 64", nil), ("64MiB ", nil), ("٣", nil),
    ("9223372036854775808", nil), ("9999999999TiB", nil),
  ])
  func asPeopleWriteThem(_ text: String, _ bytes: Int?) {
    #expect(ByteCount.parse(text) == bytes)
  }
}
