import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineError } from "../../../src/errdefs/errdefs.ts";
import { Image, type ImageGraph, newImgJSON } from "../../../src/image/image.ts";

const id = (n: number) => n.toString(16).padStart(64, "0");

/** A chain of images, the last one on top; `parents` by number. */
function chain(parents: readonly number[]): Image[] {
  const images = parents.map(
    (parent, n) => new Image({ id: id(n), created: "", ...(parent < 0 ? {} : { parent: id(parent) }) }),
  );
  const graph = {
    get: (name: string) => {
      const found = images.find((image) => image.id === name);
      return found === undefined ? Promise.reject(new Error(`No such id: ${name}`)) : Promise.resolve(found);
    },
  } as unknown as ImageGraph;
  for (const image of images) {
    image.setGraph(graph);
    image.size = 10;
  }
  return images;
}

// origin: the record images.003: an import without configuration
test("newImgJSON() fills in every key of 1.2.0 and keeps later ones that are there", () => {
  const image = newImgJSON(
    `{"id":"${id(1)}","created":"2014-08-20T20:20:14.5Z","config":{"Labels":{"a":"b"},"Env":[]}}`,
  );
  expect(Object.keys(image.containerConfig)).toHaveLength(23);
  expect(image.containerConfig).toMatchObject({ Cmd: null, Memory: 0, Hostname: "", ExposedPorts: null });
  expect(image.config).toMatchObject({ Labels: { a: "b" }, Env: [], Cmd: null });
  expect([image.createdUnix, image.createdNs]).toEqual([1408566014, 1408566014500000000n]);
});

test("newImgJSON() refuses wrong types with Go's text, and no time that is none", () => {
  const text = (json: string) => {
    try {
      newImgJSON(json);
      return "ok";
    } catch (cause) {
      return (cause as Error).message;
    }
  };
  expect(text('{"id":1}')).toBe("json: cannot unmarshal number into Go value of type string");
  expect(text('{"config":{"Cmd":"sh"}}')).toBe("json: cannot unmarshal string into Go value of type []string");
  expect(text('{"config":{"Volumes":[]}}')).toBe("json: cannot unmarshal array into Go value of type map");
  expect(text("{bad")).toBe("invalid character 'b' looking for beginning of object key string");
  expect(text('{"created":"yesterday"}')).toMatch(/^parsing time "yesterday"/);
  expect(text("null")).toBe("ok");
});

test("newImgJSON() answers any JSON with an image or an error of the engine, and pollutes no prototype", () => {
  const key = fc.constantFrom(
    "id",
    "parent",
    "created",
    "config",
    "container_config",
    "Env",
    "Volumes",
    "__proto__",
    "Labels",
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(fc.jsonValue(), fc.dictionary(key, tie("node"))),
  })).node;
  fc.assert(
    fc.property(value, (any) => {
      try {
        newImgJSON(JSON.stringify(any));
      } catch (cause) {
        if (!(cause instanceof EngineError)) throw cause;
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
  );
  const volumes = newImgJSON('{"config":{"Volumes":{"__proto__":{}}}}').config?.Volumes;
  expect(Object.keys(volumes ?? {})).toEqual(["__proto__"]);
});

test("Image.toJson() writes the keys of 1.2.0 in its order and is read back as it was", () => {
  const image = new Image({ id: id(1), created: "2014-08-20T20:20:14Z", comment: "a <b>", config: null });
  image.size = 7;
  expect(image.toJson()).toMatch(
    /^\{"id":"0+1","comment":"a \\u003cb\\u003e","created":"2014-08-20T20:20:14Z","container_config":\{/,
  );
  expect(image.toJson()).toMatch(/,"Size":7\}$/);
  expect(newImgJSON(image.toJson()).toJson()).toBe(image.toJson().replace('"Size":7', '"Size":-1'));
});

test("Image.history(), depth() and getParentsSize() walk to the root", async () => {
  const top = chain([-1, 0, 1])[2]!;
  expect((await top.history()).map((image) => image.id)).toEqual([id(2), id(1), id(0)]);
  expect([await top.depth(), await top.getParentsSize()]).toEqual([3, 20]);
});

test("Image.walkHistory() ends on a circle and on a missing ancestor", async () => {
  const circle = chain([1, 0])[0]!;
  await expect(circle.history()).rejects.toThrow(`Conflict, image ${id(0)} is its own ancestor`);
  const broken = chain([-1, 99])[1]!;
  await expect(broken.history()).rejects.toThrow(`Error while getting parent image: No such id: ${id(99)}`);
  expect(await broken.getParentsSize()).toBe(0);
});

// origin: image/image.go (*Image).CheckDepth
test("Image.checkDepth() leaves room for the two layers of a container", async () => {
  const images = chain([...Array(125).keys()].map((n) => n - 1));
  await images[123]!.checkDepth();
  await expect(images[124]!.checkDepth()).rejects.toThrow("Cannot create container with more than 127 parents");
});
