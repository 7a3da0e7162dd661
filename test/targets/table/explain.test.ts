/** What a person is told of an object that the database refused. */
import { expect, test } from 'vitest'
import { onBoth } from '../../support/both.ts'
import { type Bench, benchOf, itemOf } from '../support.ts'

onBoth((opened) => {
  let made: Promise<Bench> | undefined
  const bench = () => {
    made ??= benchOf(
      opened.db,
      `CREATE TYPE public.mood AS ENUM ('happy');
       CREATE DOMAIN public.grade AS integer CHECK (VALUE < 7);
       CREATE TABLE public.team (id integer PRIMARY KEY);
       CREATE TABLE public.person (ms_id integer PRIMARY KEY, name varchar(5) NOT NULL, age integer CHECK (age > 0), mood public.mood, mail text UNIQUE, team_id integer REFERENCES public.team DEFERRABLE, made integer, grade public.grade, gone date);
       CREATE TABLE public.person_tag (person_id integer, n integer NOT NULL);
       INSERT INTO public.person VALUES (1, 'x', 1, NULL, 'a@b')`,
      (t) =>
        t.table('person', {
          key: 'ms_id',
          columns: {
            name: 'full.name',
            age: 'age',
            mood: 'mood',
            mail: 'mail',
            team_id: t.ref('team', 'team'),
            made: (o) => o.made,
            grade: 'grade',
          },
          sets: { person_tag: { owner: 'person_id', rows: 'tags', columns: { n: 'n' } } },
          onDelete: { gone: 'gone' },
        }),
    )
    return made
  }

  test.each([
    ['a text that is no number', { age: 'abc' }, { column: 'age', pointer: '/2/age', message: `column "age" (integer) can't hold "abc"` }],
    [
      'a text that is too long',
      { full: { name: 'abcdef' } },
      { column: 'name', pointer: '/2/full/name', message: `column "name" (character varying(5)) can't hold "abcdef"` },
    ],
    [
      'a number that is too large',
      { age: 3e9 },
      { column: 'age', pointer: '/2/age', message: `column "age" (integer) can't hold "3000000000"` },
    ],
    [
      'a word that an enum lacks',
      { mood: 'sad' },
      { column: 'mood', pointer: '/2/mood', message: expect.stringMatching(/^column "mood" \((public\.)?mood\) can't hold "sad"$/) },
    ],
    [
      'a check of a domain',
      { grade: 9 },
      { column: 'grade', pointer: '/2/grade', message: expect.stringContaining(`grade) can't hold "9"`) },
    ],
    ['a function’s value', { made: 'x' }, { column: 'made', message: `column "made" (integer) can't hold "x"` }],
    [
      'a set’s value',
      { tags: [{ n: 1 }, { n: 'x' }] },
      { column: 'person_tag.n', pointer: '/2/tags/1/n', message: `column "person_tag.n" (integer) can't hold "x"` },
    ],
    [
      'one value of many',
      { tags: Array.from({ length: 3000 }, (_, n) => ({ n: n === 2500 ? '2500!' : n })) },
      { column: 'person_tag.n', pointer: '/2/tags/2500/n', message: `column "person_tag.n" (integer) can't hold "2500!"` },
    ],
    ['a reference', { team: 'x' }, { column: 'team_id', pointer: '/2/team', message: `column "team_id" (integer) can't hold "x"` }],
    ['an external ID', { id: 'x' }, { column: 'ms_id', message: `column "ms_id" (integer) can't hold "x"` }],
    [
      'a long value is cut',
      { age: 'y'.repeat(100) },
      { column: 'age', pointer: '/2/age', message: `column "age" (integer) can't hold "${'y'.repeat(60)}…"` },
    ],
    [
      'nothing where there must be something',
      { full: { name: null } },
      { column: 'name', pointer: '/2/full/name', message: `column "name" can't be empty, and the object has no value for it` },
    ],
    [
      'nothing in a set',
      { tags: [{}] },
      { column: 'person_tag.n', message: `column "person_tag.n" can't be empty, and the object has no value for it` },
    ],
    ['a check', { age: -1 }, { column: 'age', pointer: '/2/age' }],
    ['a value that is taken', { mail: 'a@b' }, { column: 'mail', pointer: '/2/mail' }],
    ['a row that is not there', { team: 99 }, { column: 'team_id', pointer: '/2/team' }],
  ])('%s', async (_, value, expected) => {
    const { target } = await bench()
    const item = itemOf(target, { id: 2, full: { name: 'x' }, ...value }, { ordinal: 2 })
    const explanation = await opened.db.transaction(async (tx) => {
      await tx.query('SAVEPOINT batch')
      const context = { integration: 'x', asDraft: false, signal: new AbortController().signal, log: console, afterCommit: () => undefined }
      const error: unknown = await target.apply(tx, [item], context).then(
        () =>
          tx.query('SET CONSTRAINTS ALL IMMEDIATE').then(
            () => null,
            (late: unknown) => late,
          ),
        (thrown: unknown) => thrown,
      )
      expect(error).not.toBeNull()
      await tx.query('ROLLBACK TO SAVEPOINT batch')
      const explained = await target.explain?.(tx, item, error)
      await tx.query('SELECT 1')
      return explained
    })
    expect(explanation).toEqual(expected)
  })

  test('an error that is not the database’s has nothing to explain', async () => {
    const { target } = await bench()
    const item = itemOf(target, { id: 2 })
    expect(await opened.db.transaction((tx) => target.explain?.(tx, item, new Error('x')) ?? Promise.resolve(undefined))).toBeNull()
  })
})
