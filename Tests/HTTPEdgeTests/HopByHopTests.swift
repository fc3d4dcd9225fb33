import HTTPEdge
import HTTPTypes
import Testing

struct HopByHopTests {
  @Test(arguments: [
    (["Connection: keep-alive", "Keep-Alive: timeout=5", "A: 1"], ["A: 1"]),
    (["Connection: close, X-Secret", "x-secret: 1", "X-Secret: 2", "B: 1"], ["B: 1"]),
    (["connection: a ,\tb", "A: 1", "Connection: c", "B: 2", "C: 3", "D: 4"], ["D: 4"]),
    (["Transfer-Encoding: chunked", "TE: trailers", "Trailer: X", "Upgrade: h2c", "Proxy-Connection: close"], []),
    (
      ["Connection: Content-Length, Host, Cookie", "Content-Length: 1", "Cookie: a"],
      ["Content-Length: 1", "Cookie: a"]
    ),
    (["Connection:", "Connection: ,,", "ETag: \"x\""], ["ETag: \"x\""]),
    (["Set-Cookie: b", "X: 1", "set-cookie: a", "x: 2"], ["Set-Cookie: b", "X: 1", "set-cookie: a", "x: 2"]),
  ])
  func strips(_ lines: [String], _ left: [String]) throws {
    var fields = HTTPFields()
    for line in lines {
      let colon = try #require(line.firstIndex(of: ":"))
      let value = String(line[line.index(after: colon)...])
      fields.append(HTTPField(name: try #require(HTTPField.Name(String(line[..<colon]))), value: value))
    }
    HopByHop.strip(&fields)
    #expect(fields.map { "\($0.name.rawName): \($0.value)" } == left)
  }
}
