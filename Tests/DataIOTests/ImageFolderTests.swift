// SPDX-License-Identifier: Apache-2.0
import DataIO
import Testing

@Suite("Image folders and their labels")
struct ImageFolderTests {
  private let image = ImageFixtures.bytes("rgb")

  @Test("class subfolders are numbered by name")
  func classFolders() throws {
    let folder = try TemporaryFolder()
    for file in ["dog/b.png", "dog/a.JPG", "cat/x/deep.png", "cat/c.jpeg", "notes/readme.txt"] {
      try folder.write(file, image)
    }
    let set = try Dataset.open(folder.path, split: .train)
    #expect(set.kind == .images)
    #expect(set.classNames == ["cat", "dog"])
    #expect(set.labels == [0, 0, 1, 1])
    #expect(set.location(ofSampleAt: 2) == folder.path + "/dog/a.JPG")
    #expect(set.splits == [] && set.split == .all)
  }

  @Test("train and val folders are splits")
  func splits() throws {
    let folder = try TemporaryFolder()
    for file in ["train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png", "val/b/5.png"] {
      try folder.write(file, image)
    }
    #expect(try Dataset.open(folder.path, split: .train).labels == [0, 1])
    let test = try Dataset.open(folder.path, split: .test)
    #expect(test.labels == [0, 1, 1])
    #expect(test.location(ofSampleAt: 2) == folder.path + "/val/b/5.png")
    #expect(test.splits == [.train, .test])
    let all = try Dataset.open(folder.path)
    #expect(all.labels == [0, 1, 0, 1, 1])
    #expect(all.classNames == ["a", "b"])
    _ = try all.sample(at: 4)
  }

  @Test("classes are numbered over both splits, so that one may lack a class")
  func lackingClass() throws {
    let folder = try TemporaryFolder()
    for file in ["train/a/1.png", "train/b/2.png", "train/c/3.png", "val/a/4.png", "val/c/5.png"] {
      try folder.write(file, image)
    }
    let test = try Dataset.open(folder.path, split: .test)
    #expect(test.labels == [0, 2])
    #expect(test.classNames == ["a", "b", "c"])
    try folder.write("only/train/c/1.png", image)
    try folder.write("only/val/d/1.png", image)
    #expect(try Dataset.open(folder.path + "/only", split: .test).labels == [1])
  }

  @Test("labels.csv above the split folders serves both")
  func sharedCSV() throws {
    let folder = try TemporaryFolder()
    for file in ["train/1.png", "train/2.png", "test/3.png"] { try folder.write(file, image) }
    try AtomicFile.write(
      "train/1.png,4\ntest/3.png,6\ntrain/2.png,5\n", to: folder.path + "/labels.csv")
    #expect(try Dataset.open(folder.path, split: .train).labels == [4, 5])
    #expect(try Dataset.open(folder.path, split: .test).labels == [6])
  }

  @Test("labels.csv gives indices or names, after a header or not")
  func labelsCSV() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.png", image)
    try folder.write("sub/b.png", image)
    try AtomicFile.write(
      "file,label\r\na.png,5\r\n\"sub/b.png\", 3\r\n", to: folder.path + "/labels.csv")
    #expect(try Dataset.open(folder.path).labels == [5, 3])
    try AtomicFile.write("a.png,dog\nsub/b.png,cat\n", to: folder.path + "/labels.csv")
    let named = try Dataset.open(folder.path)
    #expect(named.labels == [1, 0])
    #expect(named.classNames == ["cat", "dog"])
    try AtomicFile.write("a.png,1\nnone.png,2\n", to: folder.path + "/labels.csv")
    #expect(throws: DataError.missing(path: folder.path + "/none.png")) {
      try Dataset.open(folder.path)
    }
    try AtomicFile.write("a.png,1\nsub/b.png\n", to: folder.path + "/labels.csv")
    #expect(
      throws: DataError.invalidLabel(
        path: folder.path + "/labels.csv", line: 2, text: "sub/b.png")
    ) { try Dataset.open(folder.path) }
  }

  @Test("a leading class index in every name is the label, else the set is unlabelled")
  func leadingIndex() throws {
    let folder = try TemporaryFolder()
    for name in ["0012.png", "3_name.png", "7-x.png"] { try folder.write(name, image) }
    #expect(try Dataset.open(folder.path).labels == [12, 3, 7])
    try folder.write("street.png", image)
    let set = try Dataset.open(folder.path)
    #expect(set.labels == nil)
    #expect(set.count == 4)
    #expect(set.notes.count == 1)
  }

  @Test("a damaged image is found when it is read, and named")
  func damaged() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.png", Array(image.prefix(50)))
    let set = try Dataset.open(folder.path)
    let error = #expect(throws: DataError.self) { try set.sample(at: 0) }
    #expect(error?.description.hasPrefix(path) == true)
  }
}
