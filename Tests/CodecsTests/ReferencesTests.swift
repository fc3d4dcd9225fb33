import Codecs
import HTTPTypes
import Testing

struct RefreshTests {
  @Test(arguments: [
    ("5", "5"), ("", ""), ("0; url=/a", "0; url=</a>"), ("0;URL='/a'", "0;URL='</a>'"),
    ("3,url = \"/a\"; b", "3,url = \"</a>\"; b"), ("1.5 ; /a", "1.5 ; </a>"), ("0; urls", "0; <urls>"),
    (" 0 ; url=/a?b;c", " 0 ; url=</a?b;c>"), ("0; url=", "0; url="), ("0; url='", "0; url='"), ("0 /a", "0 </a>"),
  ])
  func itsURLIsMapped(_ value: String, _ result: String) {
    #expect(Refresh.mapping(value) { "<\($0)>" } == result)
  }
}

struct ReferencesTests {
  @Test func thoseOfAResponseAreMapped() {
    var fields: HTTPFields = [
      .location: "/a", .contentLocation: "b", .init("Refresh")!: "3; url=/c", .init("Destination")!: "/d",
      .init("Link")!: "</e>; rel=\"next\", </f>; rel=prev", .init("X-Location")!: "/g", .origin: "/h",
    ]
    fields.mapReferencesOfResponse { "!" + $0 }
    #expect(
      fields == [
        .location: "!/a", .contentLocation: "!b", .init("Refresh")!: "3; url=!/c", .init("Destination")!: "!/d",
        .init("Link")!: "<!/e>; rel=\"next\", <!/f>; rel=prev", .init("X-Location")!: "/g", .origin: "/h",
      ])
  }

  @Test func thoseOfARequestAreMapped() {
    var fields: HTTPFields = [
      .origin: "a", .referer: "b", .init("Destination")!: "c", .init("If")!: "<d> (<e>)", .location: "f",
    ]
    fields.mapReferencesOfRequest { "!" + $0 }
    #expect(
      fields == [
        .origin: "!a", .referer: "!b", .init("Destination")!: "!c", .init("If")!: "<!d> (<!e>)", .location: "f",
      ])
  }
}
