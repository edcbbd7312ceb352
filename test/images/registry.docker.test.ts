/** Images from a registry that answers: pods pull them and say so as kubelet does, and set-up prefers them to stand-ins. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { engineAt } from '#setup/engine-api.ts';
import { ensureImages, standInName } from '#setup/images.ts';
import { lineProgress } from '#setup/progress.ts';
import { dockerFault, type Harness, podOf, startHarness, until } from '#test/node-agent/harness.ts';
import { dockerSocket, testImageFiles } from '#test/node-agent/test-image.ts';
import { type Registry, startRegistry } from './registry.ts';

const engine = engineAt(`unix://${dockerSocket}`);

describe.skipIf(dockerFault !== undefined)('with a registry that answers', () => {
  let registry: Registry;
  let layer: Buffer;
  let h: Harness;
  const used: string[] = [];
  const reference = (name: string): string => {
    const image = `${registry.host}/${name}`;
    used.push(image);
    return image;
  };
  beforeAll(async () => {
    registry = await startRegistry();
    layer = await testImageFiles();
    h = await startHarness();
  });
  afterAll(async () => {
    await h.dispose();
    for (const image of used) await engine.call('DELETE', `/images/${image}?force=true`);
    await registry.close();
  });

  const run = (name: string, image: string, imagePullPolicy: 'Always' | 'IfNotPresent') =>
    h.client.put(podKind, podOf(name, { image, imagePullPolicy }, { restartPolicy: 'Never' }));
  const ended = (name: string) => until(`${name} ended`, () => h.pod(name)?.status?.phase === 'Succeeded');
  const container = (name: string) => h.pod(name)?.status?.containerStatuses?.[0];
  const remove = (name: string) => h.client.remove(podKind, { namespace: 'default', name });

  test('a pod pulls its image once, and a second pod finds it present', async () => {
    const digest = registry.publish('greeter', '1', layer, ['echo', 'hello']);
    const image = reference('greeter:1');
    run('first', image, 'IfNotPresent');
    await ended('first');
    await until('events', () => h.events('first').length >= 4);
    expect(h.events('first').slice(0, 2)).toEqual([
      `Normal Pulling: Pulling image "${image}"`,
      expect.stringMatching(
        new RegExp(
          `^Normal Pulled: Successfully pulled image "${image}" in \\S+ \\(\\S+ including waiting\\)\\. Image size: [1-9]\\d* bytes\\.$`,
        ),
      ),
    ]);
    expect(container('first')).toMatchObject({
      image,
      imageID: `docker-pullable://${registry.host}/greeter@${digest}`,
    });
    run('second', image, 'IfNotPresent');
    await ended('second');
    await until('events', () => h.events('second').length >= 3);
    expect(h.events('second')[0]).toContain('already present on machine');
    expect(registry.asked.filter(each => each === 'greeter:1')).toHaveLength(1);
    await Promise.all(['first', 'second'].map(remove));
  });

  test('with policy Always, the next pod has what the tag means by then', async () => {
    registry.publish('moving', '1', layer, ['echo', 'old']);
    const image = reference('moving:1');
    run('old', image, 'Always');
    await ended('old');
    const digest = registry.publish('moving', '1', layer, ['echo', 'new']);
    run('new', image, 'Always');
    await ended('new');
    expect(container('new')).toMatchObject({ imageID: `docker-pullable://${registry.host}/moving@${digest}` });
    expect(container('old')!.imageID).not.toBe(container('new')!.imageID);
    await Promise.all(['old', 'new'].map(remove));
  });

  test('an image that is not there and one that is denied: the reason says which, and the pod runs once it is there', async () => {
    registry.deny('secret');
    run('absent', reference('absent:1'), 'IfNotPresent');
    run('denied', reference('secret:1'), 'IfNotPresent');
    const waiting = (name: string) =>
      until(name, () => {
        const found = container(name)?.state?.waiting;
        return found?.reason === 'ImagePullBackOff' && found;
      });
    expect((await waiting('absent')).message).toMatch(
      new RegExp(`^Back-off pulling image "${registry.host}/absent:1": ErrImagePull: .*manifest unknown`),
    );
    expect((await waiting('denied')).message).toMatch(/ErrImagePull: .*denied/);
    expect(h.events('absent').some(event => event.startsWith('Warning Failed: Failed to pull image'))).toBe(true);
    registry.publish('absent', '1', layer, ['true']);
    await ended('absent');
    await Promise.all(['absent', 'denied'].map(remove));
  });

  test('set-up pulls what a registry has, builds a stand-in for what it has not, and takes only the latter away again', async () => {
    registry.publish('demo', '1', layer, ['true']);
    const recipe = {
      name: 'of-registry-test',
      references: [reference('demo:1'), reference('demo:2')],
      packages: ['busybox-static'],
      files: [],
      busybox: true,
      changes: ['CMD ["true"]'],
    };
    used.push(standInName(recipe));
    const lines: string[] = [];
    const images = await ensureImages(
      engine,
      [recipe],
      lineProgress(line => lines.push(line)),
    );
    const present = async () =>
      Promise.all(recipe.references.map(async each => (await engine.call('GET', `/images/${each}/json`)).status));
    expect(await present()).toEqual([200, 200]);
    expect(lines.at(-1)).toContain('2 images, 1 of them stand-ins');
    await images.release();
    expect(await present()).toEqual([200, 404]);
  });
});
